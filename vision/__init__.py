"""Photo in, observation out: verdict, facings, gaps, rows. Knows nothing of planograms."""
