-- Open and done actions that name a checklist: its items and later photos say what became of them.
select subject, body, state, node_path, delivered_at
from actions
where state in ('pushed', 'delivered', 'seen', 'overdue', 'done') and created_at >= %(since)s
  and body ->> 'checklist' is not null
order by created_at, id;
