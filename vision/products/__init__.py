"""Name products from one to five pictures of each, without training."""
