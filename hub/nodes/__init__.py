"""Nodes: invited, enrolled, renewed, revoked, configured; the hub's own authority."""
