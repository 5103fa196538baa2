-- Facts for a reader, oldest first; no more than asked for.
select id, shop, metric, started_at, ended_at, value, low, high, n, coverage, independent, dims,
       method, source, received_at
from facts
where shop = %(shop)s and (%(metric)s::text is null or metric = %(metric)s)
  and started_at >= %(since)s and started_at < %(until)s
order by started_at, id limit %(limit)s;
