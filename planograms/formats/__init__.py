"""Other systems' planogram files as planograms, and back. Each module one format; no disk here."""
