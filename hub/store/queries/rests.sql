-- What rests in a shop on a day or after it, what ends first before what ends later.
select id, shop, bay, sku, reason, note, until, made_at
from rests
where shop = %(shop)s and ended_at is null and until >= %(day)s
order by until, bay, sku, id
limit %(limit)s;
