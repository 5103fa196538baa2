"""Experiments: some shops act, some wait, and what it was worth is told. Pushes nothing."""
