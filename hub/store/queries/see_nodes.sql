-- In the order of their names, so that two writers cannot wait for each other.
insert into nodes (node_path, chain, shop, node, first_seen, last_seen)
select node_path, chain, shop, node, %(at)s, %(at)s
from unnest(%(node_paths)s::text[], %(chains)s::text[], %(shops)s::text[], %(nodes)s::text[])
    as seen (node_path, chain, shop, node)
order by node_path
on conflict (node_path) do update set last_seen = greatest(nodes.last_seen, excluded.last_seen);
