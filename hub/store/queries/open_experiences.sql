-- Experiences begun in since..until for which no deal has been told.
select shop, ticket, begun_at from experiences
where not undone and begun_at >= %(since)s and begun_at < %(until)s
  and (%(shops)s::text[] is null or shop = any(%(shops)s))
  and not exists (select from deals
                  where deals.shop = experiences.shop and deals.ticket = experiences.ticket
                    and not deals.undone)
order by begun_at, shop, ticket;
