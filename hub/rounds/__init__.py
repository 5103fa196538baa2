"""Rounds and rests at the hub: published, ended, and told to the nodes of their shops."""
