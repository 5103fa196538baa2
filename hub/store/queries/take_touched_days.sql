-- Takes at most so many shops' touched days, oldest first: gone only when the taker commits.
with chosen as (
    select distinct shop from (
        select shop from touched_days order by id limit %(rows)s
    ) as oldest
), taken as (
    delete from touched_days using chosen where touched_days.shop = chosen.shop
    returning touched_days.shop, touched_days.day
)
select distinct shop, day from taken order by shop, day;
