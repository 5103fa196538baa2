-- Rounds (which bays of which shops are photographed when) and rests (products of which nothing is
-- asked for some days). Nodes are told both with their configuration.
--
-- Head office sets rounds; whoever answers for a shop sees them, and lets findings rest there.

-- One right more; the others as they were. RIGHTS in hub/people/roles.py is the same table whole.
alter function reach(text, text) rename to reach_before_17;
create function reach(of_role text, wanted text) returns text
language sql immutable parallel safe
return coalesce(
    (
        select told.reach from (values
            ('shop', 'rest_findings', 'own'), ('region', 'rest_findings', 'own'),
            ('head_office', 'rest_findings', 'all')
        ) as told (role, right_name, reach)
        where told.role = of_role and told.right_name = wanted
    ),
    reach_before_17(of_role, wanted)
);

-- A version never changes. Regions, formats and shops that are empty reach every shop.
create table rounds (
    round text not null check (round ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$'),
    version integer not null check (version > 0),
    name text not null,
    regions text[] not null default '{}',
    formats text[] not null default '{}',
    shops text[] not null default '{}',
    bays text[] not null default '{}',         -- in walking order; empty: all with a planogram
    weekdays text[] not null,                  -- empty: the round has ended
    windows jsonb not null,                    -- [{"opens": "09:00", "due": "11:00"}]
    starts_on date,                            -- in each shop's own calendar; null: at once
    published_at timestamptz not null default now(),
    published_by uuid references people default asking_person(),
    primary key (round, version)
);

create function round_reaches(
    of_regions text[], of_formats text[], of_shops text[], region text, format text, shop text
) returns boolean
language sql immutable parallel safe
return (of_regions = '{}' or region = any(of_regions))
    and (of_formats = '{}' or format = any(of_formats))
    and (of_shops = '{}' or shop = any(of_shops));

create function refuse_round_change() returns trigger language plpgsql as $$
begin
    raise exception 'round % version % is published and cannot change', old.round, old.version
        using errcode = 'integrity_constraint_violation';
end
$$;
create trigger rounds_stand_still before update or delete on rounds
    for each row execute function refuse_round_change();

-- Also the shops that a version before reached: they hear that it is theirs no more.
create function round_told() returns trigger
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
begin
    update nodes set config_revision = config_revision + 1
    from shops
    where shops.shop = nodes.shop and exists (
        select from rounds where rounds.round = new.round and round_reaches(
            rounds.regions, rounds.formats, rounds.shops, shops.region, shops.format, shops.shop
        )
    );
    return null;
end
$$;
create trigger round_told after insert on rounds for each row execute function round_told();

-- A shop that moves to another region or format may have other rounds.
create function shop_rounds_told() returns trigger
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
begin
    update nodes set config_revision = config_revision + 1 where nodes.shop = new.shop;
    return null;
end
$$;
create trigger shop_rounds_told after update of region, format on shops
    for each row when (old.region is distinct from new.region
                       or old.format is distinct from new.format)
    execute function shop_rounds_told();

create table rests (
    id uuid primary key default gen_random_uuid(),
    shop text not null references shops,
    bay text not null default '',              -- empty: every bay of the shop
    sku text not null check (length(sku) between 1 and 200),
    reason text not null check (reason in ('delivery_due', 'promotion_change', 'other')),
    note text not null default '' check (length(note) <= 200),
    until date not null,                       -- the last day, in the shop's own calendar
    made_at timestamptz not null default now(),
    made_by uuid references people default asking_person(),
    ended_at timestamptz
);
create unique index rests_one_each on rests (shop, bay, sku) where ended_at is null;

create function rest_told() returns trigger
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
begin
    update nodes set config_revision = config_revision + 1 where nodes.shop = new.shop;
    return null;
end
$$;
create trigger rest_told after insert or update on rests
    for each row execute function rest_told();

revoke execute on function round_told(), shop_rounds_told(), rest_told() from public;

alter table rounds enable row level security;
alter table rests enable row level security;
-- Whether a round reaches a shop whose planograms the session sees.
create function storepulse_api.round_seen(of_regions text[], of_formats text[], of_shops text[])
returns boolean
language sql stable security definer set search_path = storepulse, pg_temp
as $$
    select exists (
        select from shops
        where shop in (select storepulse_api.shops_of('see_plans'))
          and round_reaches(of_regions, of_formats, of_shops, region, format, shop)
    )
$$;
revoke execute on function storepulse_api.round_seen(text[], text[], text[]) from public;
grant execute on function storepulse_api.round_seen(text[], text[], text[]) to storepulse_api;

create policy seen on rounds for select to storepulse_api
    using ((select storepulse_api.may('edit_plans'))
        or storepulse_api.round_seen(regions, formats, shops));
create policy published on rounds for insert to storepulse_api
    with check ((select storepulse_api.may('edit_plans')));
create policy seen on rests for select to storepulse_api
    using (shop in (select storepulse_api.shops_of('rest_findings'))
        or shop in (select storepulse_api.shops_of('see_plans')));
create policy made on rests for insert to storepulse_api
    with check (shop in (select storepulse_api.shops_of('rest_findings')));
create policy ended on rests for update to storepulse_api
    using (shop in (select storepulse_api.shops_of('rest_findings')))
    with check (shop in (select storepulse_api.shops_of('rest_findings')));

grant select, insert (round, version, name, regions, formats, shops, bays, weekdays, windows,
      starts_on) on rounds to storepulse_api;
grant select (id, shop, bay, sku, reason, note, until, made_at, ended_at),
      insert (shop, bay, sku, reason, note, until), update (ended_at) on rests to storepulse_api;

create view storepulse_api.rounds with (security_invoker) as
    select round, version, name, regions, formats, shops, bays, weekdays, windows, starts_on,
           published_at
    from rounds;
create view storepulse_api.rests with (security_invoker) as
    select id, shop, bay, sku, reason, note, until, made_at, ended_at from rests;
grant select, insert on storepulse_api.rounds to storepulse_api;
grant select, insert, update on storepulse_api.rests to storepulse_api;

-- Why no planogram could be made of a photo, in the other language, too.
alter table plan_photos add column reason_zh text not null default '';
grant select (reason_zh) on plan_photos to storepulse_api;
create or replace view storepulse_api.plan_photos with (security_invoker) as
    select id, planogram, name, bay, state, reason, asked_at, ended_at, reason_zh from plan_photos;
