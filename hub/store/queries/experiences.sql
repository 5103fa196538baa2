select shop, ticket, begun_at from experiences
where not undone and begun_at >= %(since)s and begun_at < %(until)s
  and (%(shops)s::text[] is null or shop = any(%(shops)s))
order by begun_at, shop, ticket;
