"""Usage without spans: files of provider exports and inference logs become facts, a call for each row."""
