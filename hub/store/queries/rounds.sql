-- Every version of every round, the newest first, and how many shops it reaches.
select round, version, name, regions, formats, rounds.shops, bays, weekdays, windows, starts_on,
       published_at,
       (select count(*) from shops as known
        where (regions = '{}' or known.region = any(regions))
          and (formats = '{}' or known.format = any(formats))
          and (rounds.shops = '{}' or known.shop = any(rounds.shops)))::int as reached
from rounds
order by round, version desc;
