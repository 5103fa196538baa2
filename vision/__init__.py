"""Turn a photo into an observation: verdict, facings, rows and gaps."""
