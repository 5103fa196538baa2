select shop, id, ticket, made_at, amount from deals
where not undone and made_at >= %(since)s and made_at < %(until)s
  and (%(shops)s::text[] is null or shop = any(%(shops)s))
order by made_at, shop, id;
