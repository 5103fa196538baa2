-- Actions with whom they are with and whether silence took them up: open ones first, by worth.
select id, shop, shop_name, region, kind, dimension, day, body, state, created_at, due_at,
       node_path, delivered_at, role, shift, assignee, assignee_name, worth, seen_at, escalated_to,
       escalated_why, escalated_at
from action_told
where (%(id)s::text is null or id = %(id)s)
  and (%(shop)s::text is null or shop = %(shop)s)
  and (%(shops)s::text[] is null or shop = any(%(shops)s))
  and (%(region)s::text is null or region = %(region)s)
  and (%(dimension)s::text is null or dimension = %(dimension)s)
  and (%(kind)s::text is null or kind = %(kind)s)
  and (%(role)s::text is null or role = %(role)s)
  and (%(states)s::text[] is null or state = any(%(states)s))
  and (%(escalated)s::boolean is null or (escalated_at is not null) = %(escalated)s)
  and (%(since)s::date is null or day >= %(since)s)
  and (%(until)s::date is null or day <= %(until)s)
order by state in ('pushed', 'delivered', 'seen', 'overdue') desc, worth desc, created_at desc, id
limit %(limit)s;
