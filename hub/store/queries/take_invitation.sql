-- Of two that come with one code, one finds a row.
update node_invitations set used_at = %(now)s
where secret_sha256 = %(secret_sha256)s and used_at is null and ends_at > %(now)s
returning chain, shop, node;
