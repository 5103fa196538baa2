"""Notices to people of the chain: by which channel, when, and again when one fails."""
