select node_path, ends_at, used_at from node_invitations where secret_sha256 = %(secret_sha256)s;
