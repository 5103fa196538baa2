-- How many correction checklists of each shop are past their due time and not done.
select actions.shop, shops.timezone, count(*) as overdue
from actions join shops on shops.shop = actions.shop
where actions.state = 'overdue' and actions.kind = %(kind)s
group by actions.shop, shops.timezone
order by actions.shop;
