-- Takes one shop's touched days, the shop that has waited longest: gone only when the taker commits.
-- What was touched a moment ago is left until the shop has said the rest of it.
with chosen as (
    select shop from touched_figures where at <= %(before)s order by id limit 1
), taken as (
    delete from touched_figures using chosen where touched_figures.shop = chosen.shop
    returning touched_figures.shop, touched_figures.day
)
select shop, array_agg(distinct day order by day) as days from taken group by shop;
