update node_certificates set revoked_at = %(now)s
where node_path = %(node_path)s and revoked_at is null
returning serial;
