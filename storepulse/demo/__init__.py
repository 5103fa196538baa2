"""The demo: broker, database, hub and node on this machine, around them a simulated chain."""
