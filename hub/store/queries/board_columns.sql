-- As the session that asks: a line for each of its shops with what a board shows of a day and of
-- the day before, in words as short as they can be: a letter a dimension, '-' where there is none.
with newest as (
    select distinct on (day, shop, dimension)
        day = %(day)s as is_today, shop, dimension, left(colour, 1) as letter,
        left(coalesce(turning, '-'), 1) as turning, probability, value
    from codes
    where day in (%(day)s::date, %(day)s::date - 1)
      and (%(shops)s::text[] is null or shop = any(%(shops)s))
    order by day, shop, dimension, version desc
),
told as (
    select
        shop,
        string_agg(dimension, ',' order by dimension) filter (where is_today) as dimensions,
        string_agg(letter, '' order by dimension) filter (where is_today) as colours,
        string_agg(turning, '' order by dimension) filter (where is_today) as turning,
        array_agg(probability order by dimension) filter (where is_today) as probabilities,
        array_agg(value order by dimension) filter (where is_today) as values,
        string_agg(dimension, ',' order by dimension) filter (where not is_today)
            as dimensions_before,
        string_agg(letter, '' order by dimension) filter (where not is_today) as before
    from newest group by shop
)
select
    shops.shop, shops.name, shops.region, shops.format, shops.simulated, told.dimensions,
    told.colours, told.turning, told.probabilities, told.values, told.dimensions_before, told.before
from shops left join told on told.shop = shops.shop
where %(shops)s::text[] is null or shops.shop = any(%(shops)s)
order by shops.shop;
