"""The shared vocabulary of Tollbook, and the store that keeps what is said in it."""
