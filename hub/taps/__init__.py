"""Taps of staff: receptions, experiences and deals become facts of a shop's day."""
