insert into nodes (node_path, chain, shop, node, first_seen, last_seen)
values (%(node_path)s, %(chain)s, %(shop)s, %(node)s, %(at)s, %(at)s)
on conflict (node_path) do update set last_seen = greatest(nodes.last_seen, excluded.last_seen);
