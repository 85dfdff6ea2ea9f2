"""AI outputs against what a database or a bucket holds of them: what is orphaned on either side."""
