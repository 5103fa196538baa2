-- The figure of each metric and local day, kept up with the facts: views over time are made of them,
-- and they outlive the facts that retention removes.

create table day_figures (
    shop text not null,
    metric text not null,
    day date not null,
    value double precision,                   -- null: facts were there, and none of them knew
    low double precision,
    high double precision,
    n bigint,
    coverage double precision not null,
    hours double precision not null,
    ended_at timestamptz not null,
    facts integer not null,
    doubt jsonb not null,                     -- {"shared": {name: [below, above]}, "own": [...]}
    -- What facts gave that retention has removed since, as such a row; null: none was removed.
    removed jsonb,
    computed_at timestamptz not null,
    primary key (shop, metric, day)
);

-- Which days are to be added up again. Append-only, like touched_days, and for the same reason.
create table touched_figures (
    id bigint generated always as identity primary key,
    shop text not null,
    day date not null,
    at timestamptz not null default now()
);
create index touched_figures_by_shop on touched_figures (shop, day);

insert into touched_figures (shop, day)
select distinct facts.shop, (started_at at time zone shops.timezone)::date
from facts join shops on shops.shop = facts.shop;

create or replace function touch_days_of_facts() returns trigger language plpgsql as $$
begin
    with told as materialized (
        select distinct new_rows.shop, (new_rows.started_at at time zone shops.timezone)::date as day
        from new_rows join storepulse.shops on shops.shop = new_rows.shop
    ), of_codes as (
        insert into storepulse.touched_days (shop, day) select shop, day from told
    )
    insert into storepulse.touched_figures (shop, day) select shop, day from told;
    perform pg_notify('storepulse_touched', '');
    return null;
end
$$;

create or replace function touch_days_of_moved_shop() returns trigger language plpgsql as $$
begin
    with told as materialized (
        select distinct new.shop, (started_at at time zone zone)::date as day
        from storepulse.facts, unnest(array[old.timezone, new.timezone]) as zone
        where facts.shop = new.shop
    ), of_codes as (
        insert into storepulse.touched_days (shop, day) select shop, day from told
    )
    insert into storepulse.touched_figures (shop, day) select shop, day from told;
    perform pg_notify('storepulse_touched', '');
    return null;
end
$$;

-- For how many days the facts of a metric are kept; a metric without a row: for ever.
create table kept_days (
    metric text primary key,
    days integer not null check (days >= 60)
);

create view storepulse_api.day_figures with (security_barrier) as
    select shop, metric, day, value, low, high, n, coverage, hours, ended_at, facts, doubt, removed,
           computed_at
    from day_figures where shop in (select storepulse_api.shops_of('read_figures'));
create view storepulse_api.touched_figures with (security_barrier) as
    select shop, day, at
    from touched_figures where shop in (select storepulse_api.shops_of('read_figures'));
grant select on storepulse_api.day_figures, storepulse_api.touched_figures to storepulse_api;
