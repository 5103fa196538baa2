"""Figures over quarters, hours, days and weeks, kept up with late facts. Makes no code."""
