-- Shops' days with facts of a metric shorter than a day whose windows ended before a moment; those
-- after a place in the order.
select facts.shop, (started_at at time zone shops.timezone)::date as day
from facts join shops on shops.shop = facts.shop
where metric = %(metric)s and started_at < %(before)s and facts.shop >= %(shop)s
  and ended_at - started_at < interval '20 hours'
group by facts.shop, (started_at at time zone shops.timezone)::date
having max(ended_at) < %(before)s
   and (facts.shop, (started_at at time zone shops.timezone)::date) > (%(shop)s, %(day)s::date)
order by facts.shop, day
limit %(limit)s;
