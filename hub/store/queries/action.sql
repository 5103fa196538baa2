select id, body, state, node_path, delivered_at from actions where id = %(id)s;
