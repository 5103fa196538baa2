select id, shop, node_path, bay, photo, planogram, planogram_version, made_at, body
from checklists
where made_at >= %(since)s and made_at < %(until)s
  and (%(shops)s::text[] is null or shop = any(%(shops)s))
order by made_at, shop, id;
