"""What the money bought: return, empty capacity, spend against output, the four headline numbers, scores."""
