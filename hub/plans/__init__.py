"""Planograms at the hub: drafts, published versions, where each holds, and their way to nodes."""
