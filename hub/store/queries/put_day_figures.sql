-- What differs is written; the figure of a day that has no facts any more goes, unless it holds what
-- retention has removed.
with told as (
    select * from unnest(
        %(metrics)s::text[], %(days)s::date[], %(values)s::float8[], %(lows)s::float8[],
        %(highs)s::float8[], %(ns)s::bigint[], %(coverages)s::float8[], %(hours)s::float8[],
        %(ended)s::timestamptz[], %(facts)s::int[], %(doubts)s::jsonb[]
    ) as told (metric, day, value, low, high, n, coverage, hours, ended_at, facts, doubt)
), gone as (
    delete from day_figures using unnest(%(touched)s::date[]) as touched (day)
    where day_figures.shop = %(shop)s and day_figures.day = touched.day
      and not exists (
          select from told where told.metric = day_figures.metric and told.day = day_figures.day
      )
)
insert into day_figures as kept (shop, metric, day, value, low, high, n, coverage, hours, ended_at,
                                 facts, doubt, computed_at)
select %(shop)s, metric, day, value, low, high, n, coverage, hours, ended_at, facts, doubt,
       %(at)s
from told
on conflict (shop, metric, day) do update
set value = excluded.value, low = excluded.low, high = excluded.high, n = excluded.n,
    coverage = excluded.coverage, hours = excluded.hours, ended_at = excluded.ended_at,
    facts = excluded.facts, doubt = excluded.doubt, computed_at = excluded.computed_at
where (kept.value, kept.n, kept.coverage, kept.hours, kept.ended_at, kept.facts, kept.doubt)
    is distinct from (excluded.value, excluded.n, excluded.coverage, excluded.hours,
                      excluded.ended_at, excluded.facts, excluded.doubt);
