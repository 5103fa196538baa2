copy fact_ids (id, sha256, started_at) from stdin
