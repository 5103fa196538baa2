-- The shop itself, then shops of its format, then others: in an order that spreads over the regions
-- and is the same tomorrow.
select shops.shop, shops.region, shops.format
from shops
left join shops as me on me.shop = %(shop)s
order by shops.shop = %(shop)s desc, shops.format = me.format desc, md5(shops.shop)
limit %(most)s;
