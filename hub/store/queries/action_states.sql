select id, shop, state from actions where id = any(%(ids)s);
