select id, shop, kind, dimension, day, subject, body, state, created_at, due_at, node_path,
       delivered_at
from actions
where (%(shops)s::text[] is null or shop = any(%(shops)s))
  and (%(day)s::date is null or day = %(day)s)
  and (%(states)s::text[] is null or state = any(%(states)s))
order by day, shop, dimension, kind, created_at, id;
