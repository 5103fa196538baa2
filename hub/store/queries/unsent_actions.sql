-- Actions whose receipt has not come up, and withdrawn ones that the node may have and has not heard
-- of; for one node or for all that are not known to be offline.
-- An action that names no node goes to its shop's first one.
select actions.id, nodes.node_path, nodes.chain, nodes.shop, nodes.node, actions.body,
       withdrawn.at as withdrawn_at, withdrawn.event as withdrawn_event,
       withdrawn.reason as withdrawn_reason
from actions
join nodes on nodes.node_path = coalesce(
    actions.node_path,
    (select first_node.node_path from nodes as first_node
     where first_node.shop = actions.shop order by first_seen, first_node.node_path limit 1))
left join lateral (
    select at, event, reason from action_moves as moves
    where moves.action = actions.id and moves.to_state = 'withdrawn'
    order by moves.id desc limit 1
) as withdrawn on actions.state = 'withdrawn'
where (delivered_at is null and state in ('pushed', 'overdue')
         and (last_sent_at is null or last_sent_at <= %(sent_before)s)
       or state = 'withdrawn' and withdrawal_kept_at is null
         and (delivered_at is not null or last_sent_at is not null)
         and (withdrawal_sent_at is null or withdrawal_sent_at <= %(sent_before)s)
         -- A node of an older version never says that it heard.
         and withdrawn.at > %(sent_before)s - interval '28 days')
  and (%(node_path)s::text is null or nodes.node_path = %(node_path)s)
  and (%(node_path)s::text is not null or online is not false)
order by nodes.node_path, actions.created_at, actions.id
limit %(limit)s;
