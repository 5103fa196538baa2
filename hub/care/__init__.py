"""Customers who agreed: their consent, the one message they get, and their way out."""
