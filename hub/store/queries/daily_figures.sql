-- One figure a shop, metric and local day, as arrays. Coarser than hub/codes/days.py where windows of
-- several lengths overlap: of one source and place, those of the greatest length of the day count.
with told as (
    select facts.shop, metric, source, value, n, coverage, ended_at, method,
           dims - array['basis', 'calibrated', 'mode', 'planned', 'planogram', 'planogram_version',
                        'replayed', 'round', 'unknown_because'] as place,
           ended_at - started_at as length,
           (case when ended_at - started_at >= interval '20 hours'
                 then started_at + (ended_at - started_at) / 2 else started_at end
            at time zone shops.timezone)::date as day,
           row_number() over (
               partition by facts.shop, metric, source, regexp_replace(id, '~[0-9]{1,9}$', '')
               order by coalesce(substring(id from '~([0-9]{1,9})$')::bigint, 1) desc
           ) as newer
    from facts join shops on shops.shop = facts.shop
    where started_at >= %(first)s::date - interval '2 days'
      and started_at < %(last)s::date + interval '2 days'
      and facts.shop = any(%(shops)s) and metric = any(%(metrics)s)
      -- Another metric that stood in for this one is none of this one.
      and not (dims ? 'basis' and dims ->> 'basis' <> metric
               and dims ->> 'basis' = any(%(catalogue)s))
), ranked as (
    select *, bool_or(place = '{}') over (partition by shop, metric, day) as whole,
           max(length) over (partition by shop, metric, source, place, day) as longest,
           row_number() over (
               partition by shop, metric, source, place, day, length >= interval '20 hours'
               order by method desc, ended_at desc
           ) as newest
    from told where newer = 1 and day between %(first)s and %(last)s
), kept as (
    select * from ranked
    where (not whole or place = '{}') and length >= longest * 0.9
      and (length < interval '20 hours' or newest = 1)
), of_places as (
    select shop, metric, day, place,
           case when metric = any(%(sums)s) then sum(value)
                when metric = any(%(anys)s) then max(value)
                when sum(n) filter (where value is not null) > 0 and bool_and(n is not null)
                    then sum(value * n) / sum(n) filter (where value is not null)
                else avg(value) end as value,
           sum(n) filter (where value is not null) as n,
           avg(case when value is null and n is distinct from 0 then 0 else coverage end)
               as coverage
    from kept group by shop, metric, day, place
), of_days as (
    select shop, metric, day,
           case when metric = any(%(sums)s) or metric = any(%(people)s) then sum(value)
                when metric = any(%(anys)s) then max(value)
                when sum(n) filter (where value is not null) > 0 and bool_and(n is not null)
                    then sum(value * n) / sum(n) filter (where value is not null)
                else avg(value) end as value,
           avg(coverage) as coverage
    from of_places group by shop, metric, day
)
select shop, metric, array_agg(day order by day) as days, array_agg(value order by day) as values,
       array_agg(coverage order by day) as coverages
from of_days group by shop, metric;
