select node_path, chain, shop, node, first_seen, last_seen, online, last_state
from nodes
where %(shops)s::text[] is null or shop = any(%(shops)s)
order by shop, first_seen, node_path;
