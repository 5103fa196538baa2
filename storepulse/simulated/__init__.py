"""A world to try it in: drawn shelves, probing phones, a chain. Always says "simulated"."""
