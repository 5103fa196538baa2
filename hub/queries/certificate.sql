select node_path, revoked_at from node_certificates where serial = %(serial)s for share;
