-- Some of the shops whose taps changed, and the oldest tap among them: gone only when the taker
-- commits.
with chosen as (
    select distinct shop from touched_taps order by shop limit %(limit)s
), taken as (
    delete from touched_taps using chosen where touched_taps.shop = chosen.shop
    returning touched_taps.shop, touched_taps.at
)
select shop, min(at) as oldest from taken group by shop order by shop;
