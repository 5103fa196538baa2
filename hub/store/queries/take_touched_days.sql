-- Takes these shops' touched days: gone only when the taker commits.
with taken as (
    delete from touched_days where shop = any(%(shops)s) returning shop, day
)
select distinct shop, day from taken order by shop, day;
