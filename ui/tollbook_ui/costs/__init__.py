"""Cost by any key, what caching saved, why cost changed, and what is out of the ordinary."""
