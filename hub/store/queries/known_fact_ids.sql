select id, sha256 from fact_ids where id = any(%(ids)s);
