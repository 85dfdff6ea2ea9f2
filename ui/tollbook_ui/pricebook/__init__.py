"""The price book: what is in it, what it says of a model, files taken in, and settling again after it has changed."""
