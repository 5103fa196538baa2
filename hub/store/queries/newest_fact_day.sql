-- The newest local day of which any shop told a fact that codes are made of.
select max((facts.started_at at time zone shops.timezone)::date) as day
from facts join shops on shops.shop = facts.shop
where metric = any(%(metrics)s) and (%(shops)s::text[] is null or facts.shop = any(%(shops)s));
