select shop, id, at from receptions
where not undone and at >= %(since)s and at < %(until)s
  and (%(shops)s::text[] is null or shop = any(%(shops)s))
order by at, shop, id;
