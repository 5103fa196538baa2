"""Learn how to weigh evidence from episodes of known and unknown products. Measures no picture."""
