-- Actions whose receipt has not come up, for one node or for all that are not known to be offline.
-- An action that names no node goes to its shop's first one.
select actions.id, nodes.node_path, nodes.chain, nodes.shop, nodes.node, actions.body
from actions
join nodes on nodes.node_path = coalesce(
    actions.node_path,
    (select first_node.node_path from nodes as first_node
     where first_node.shop = actions.shop order by first_seen, first_node.node_path limit 1))
where delivered_at is null
  and state in ('pushed', 'overdue')
  and (%(node_path)s::text is null or nodes.node_path = %(node_path)s)
  and (%(node_path)s::text is not null or online is not false)
  and (last_sent_at is null or last_sent_at <= %(sent_before)s)
order by nodes.node_path, actions.created_at, actions.id
limit %(limit)s;
