-- One figure a shop, metric and local day, as arrays. Coarser than hub/codes/days.py, and quick: of one
-- source and place only the day's longest windows count, and several whole days are averaged.
with told as materialized (
    select facts.id, facts.shop, metric, source, value, n, coverage,
           case when dims = '{}' then dims
                else dims - array['basis', 'calibrated', 'mode', 'planogram', 'planogram_version',
                                  'replayed', 'unknown_because'] end as place,
           ended_at - started_at as length,
           (case when ended_at - started_at >= interval '20 hours'
                 then started_at + (ended_at - started_at) / 2 else started_at end
            at time zone shops.timezone)::date as day
    from facts join shops on shops.shop = facts.shop
    where started_at >= %(first)s::date - interval '2 days'
      and started_at < %(last)s::date + interval '2 days'
      and facts.shop = any(%(shops)s) and metric = any(%(metrics)s)
      -- Another metric that stood in for this one is none of this one.
      and not (dims ? 'basis' and dims ->> 'basis' <> metric
               and dims ->> 'basis' = any(%(catalogue)s))
), corrected as (
    -- Corrections carry a version at the end of their id ("...~2").
    select shop, metric, source, regexp_replace(id, '~[0-9]{1,9}$', '') as series,
           max(substring(id from '~([0-9]{1,9})$')::bigint) as newest
    from told where id ~ '~[0-9]{1,9}$' group by 1, 2, 3, 4
), said as (
    select told.* from told
    left join corrected on corrected.shop = told.shop and corrected.metric = told.metric
        and corrected.source = told.source
        and corrected.series = regexp_replace(told.id, '~[0-9]{1,9}$', '')
    where newest is null
       or newest = coalesce(substring(told.id from '~([0-9]{1,9})$')::bigint, 1)
), longest as (
    select shop, metric, source, place, day, max(length) as length
    from said group by shop, metric, source, place, day
), of_places as (
    select shop, metric, day, place,
           case when metric = any(%(sums)s) and longest.length < interval '20 hours'
                    then sum(value)
                when metric = any(%(anys)s) then max(value)
                when sum(n) filter (where value is not null) > 0 and bool_and(n is not null)
                    then sum(value * n) / sum(n) filter (where value is not null)
                else avg(value) end as value,
           sum(n) filter (where value is not null) as n,
           avg(case when value is null and n is distinct from 0 then 0 else coverage end)
               as coverage
    from said join longest using (shop, metric, source, place, day)
    where said.length >= longest.length * 0.9
    group by shop, metric, day, place, source, longest.length
), whole as (
    -- Where there are figures of the whole shop, those of its parts do not count.
    select shop, metric, day from of_places where place = '{}' group by shop, metric, day
), of_days as (
    select of_places.shop, of_places.metric, of_places.day,
           case when of_places.metric = any(%(sums)s) or of_places.metric = any(%(people)s)
                    then sum(value)
                when of_places.metric = any(%(anys)s) then max(value)
                when sum(n) filter (where value is not null) > 0 and bool_and(n is not null)
                    then sum(value * n) / sum(n) filter (where value is not null)
                else avg(value) end as value,
           avg(coverage) as coverage
    from of_places
    left join whole on whole.shop = of_places.shop and whole.metric = of_places.metric
        and whole.day = of_places.day
    where (whole.shop is null or place = '{}')
      and of_places.day between %(first)s and %(last)s
    group by of_places.shop, of_places.metric, of_places.day
)
select shop, metric, array_agg(day - %(first)s::date) as days, array_agg(value) as values,
       array_agg(coverage) as coverages
from of_days group by shop, metric;
