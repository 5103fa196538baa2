-- plane
-- As the session that asks: a line for each of its shops with two figures of a day, each a metric's
-- kept one or that of a dimension's newest code, and the first letters of the colours of some
-- dimensions.
with judged as (
    select distinct on (shop, dimension) shop, dimension, left(colour, 1) as letter, value, low, high
    from codes
    where day = %(day)s and dimension = any(%(dimensions)s)
    order by shop, dimension, version desc
),
letters as (
    select shop, string_agg(letter, '') as letters from judged
    where dimension = any(%(coloured)s) group by shop
),
told as (
    select shop, metric as name, value, low, high, n
    from day_figures where day = %(day)s and metric = any(%(axes)s)
    union all
    select shop, dimension, value, low, high, null
    from judged where dimension = any(%(axes)s)
)
select
    shops.shop, shops.name, shops.region, shops.format, coalesce(letters, '') as letters,
    x.shop is not null as x_told, x.value as x_value, x.low as x_low, x.high as x_high, x.n as x_n,
    y.shop is not null as y_told, y.value as y_value, y.low as y_low, y.high as y_high, y.n as y_n
from shops
left join letters on letters.shop = shops.shop
left join told as x on x.shop = shops.shop and x.name = %(x)s
left join told as y on y.shop = shops.shop and y.name = %(y)s
order by shops.shop;
