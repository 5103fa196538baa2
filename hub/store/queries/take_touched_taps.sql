-- The shops whose taps changed, and the oldest tap among them: gone only when the taker commits.
with taken as (delete from touched_taps returning shop, at)
select shop, min(at) as oldest from taken group by shop order by shop;
