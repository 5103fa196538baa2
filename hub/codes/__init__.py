"""Codes: from facts and a policy to a colour with its reasons. Pushes nothing."""
