-- The facts whose start falls on the shop's own days first..last. The bounds by started_at are a
-- day wider on each side, which no time zone exceeds: they choose partitions and index.
select facts.id, facts.shop, metric, started_at, ended_at, value, low, high, n, coverage,
       independent, dims, method, source,
       (started_at at time zone shops.timezone)::date as day
from facts
join shops on shops.shop = facts.shop
where started_at >= %(first)s::date - interval '1 day'
  and started_at < %(last)s::date + interval '2 days'
  and (started_at at time zone shops.timezone)::date between %(first)s and %(last)s
  and (%(shops)s::text[] is null or facts.shop = any(%(shops)s))
  and (%(metrics)s::text[] is null or metric = any(%(metrics)s))
order by facts.shop, metric, started_at, facts.id;
