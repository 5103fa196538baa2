-- One shop's facts of some metrics whose start falls on its own days first..last, oldest first.
select facts.id, facts.shop, metric, started_at, ended_at, value, low, high, n, coverage,
       independent, dims, method, source
from facts
join shops on shops.shop = facts.shop
where facts.shop = %(shop)s and metric = any(%(metrics)s)
  and started_at >= %(first)s::date - interval '1 day'
  and started_at < %(last)s::date + interval '2 days'
  and (started_at at time zone shops.timezone)::date between %(first)s and %(last)s
order by started_at, facts.id;
