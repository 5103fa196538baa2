-- From when the hub could expect evidence of each shop.
select shop, timezone, created_at, region, format from shops
where %(shops)s::text[] is null or shop = any(%(shops)s)
order by shop;
