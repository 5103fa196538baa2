-- All versions of the rounds that reach a shop, or did: whether each one reaches it.
select r.round, r.version, r.name, r.bays, r.weekdays, r.windows, r.starts_on,
       round_reaches(r.regions, r.formats, r.shops, s.region, s.format, s.shop) as reaches
from rounds as r cross join shops as s
where s.shop = %(shop)s;
