select shop, name, region, format, latitude, longitude, timezone, assigned, simulated
from shops
where %(shops)s::text[] is null or shop = any(%(shops)s)
order by shop;
