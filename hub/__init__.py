"""The hub: takes facts in, stores them, computes codes and their reasons, pushes actions."""
