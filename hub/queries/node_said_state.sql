update nodes set online = %(online)s, last_state = %(state)s where node_path = %(node_path)s;
