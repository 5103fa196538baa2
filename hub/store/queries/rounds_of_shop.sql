-- All versions of the rounds that reach a shop, or did: whether each one reaches it.
select r.round, r.version, r.name, r.bays, r.weekdays, r.windows, r.starts_on,
       (r.regions = '{}' or s.region = any(r.regions))
       and (r.formats = '{}' or s.format = any(r.formats))
       and (r.shops = '{}' or s.shop = any(r.shops)) as reaches
from rounds as r cross join shops as s
where s.shop = %(shop)s;
