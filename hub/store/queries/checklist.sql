select shop, node_path, body from checklists where id = %(id)s;
