select facts.id, facts.shop, metric, facts.started_at, ended_at, value, low, high, n, coverage,
       independent, dims, method, source,
       (facts.started_at at time zone shops.timezone)::date as day
from fact_ids
join facts on facts.id = fact_ids.id and facts.started_at = fact_ids.started_at
join shops on shops.shop = facts.shop
where fact_ids.id = any(%(ids)s)
order by facts.started_at, facts.id;
