update nodes set online = false where node_path = %(node_path)s;
