"""How Tollbook looks, on screen and on paper: one palette, one stylesheet, one set of building blocks."""
