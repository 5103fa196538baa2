select id, name, role from who_takes(%(shop)s);
