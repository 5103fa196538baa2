"""The API: what pages and programs ask of the hub. Computes nothing itself."""
