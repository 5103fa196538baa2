-- Which days of which shops got facts since a moment: their codes are to be computed again.
select distinct facts.shop, (started_at at time zone shops.timezone)::date as day
from facts
join shops on shops.shop = facts.shop
where facts.received_at >= %(since)s
order by day, facts.shop;
