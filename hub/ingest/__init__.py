"""What nodes say: sorted, kept once, acknowledged. Computes nothing from it."""
