-- Takes at most so many shops' touched days, oldest first: gone only when the taker commits.
with some as (
    select distinct shop from (
        select shop from touched_days order by id limit %(rows)s
    ) as oldest
), taken as (
    delete from touched_days using some where touched_days.shop = some.shop
    returning touched_days.shop, touched_days.day
)
select distinct shop, day from taken order by shop, day;
