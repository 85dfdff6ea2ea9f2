"""What calls came to by the dialect that tells of them, and what another table of dialects makes of them."""
