"""Wi-Fi probe requests in, visits, dwell and occupancy out. No address leaves this package."""
