"""Actions: what codes push, to whom, and how it goes on. Computes no code."""
