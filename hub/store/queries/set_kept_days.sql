-- Without a number of days: for ever.
with gone as (
    delete from kept_days where metric = %(metric)s and %(days)s::int is null
)
insert into kept_days (metric, days)
select %(metric)s, %(days)s::int where %(days)s::int is not null
on conflict (metric) do update set days = excluded.days;
