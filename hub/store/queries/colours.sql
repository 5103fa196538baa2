-- The newest version's colour of every code of these days: no more than a small chart needs.
select distinct on (shop, dimension, day) shop, dimension, day, colour
from codes where day between %(first)s and %(last)s
  and (%(shops)s::text[] is null or shop = any(%(shops)s))
order by shop, dimension, day, version desc;
