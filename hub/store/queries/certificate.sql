select node_path, revoked_at, server_names from node_certificates
where serial = %(serial)s for share;
