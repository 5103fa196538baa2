"""Measure the hub at a chain's size, with drawn shops and facts. No test is timed by it."""
