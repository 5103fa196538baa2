update node_invitations set used_at = %(now)s where node_path = %(node_path)s and used_at is null;
