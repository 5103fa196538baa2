-- Planograms at the hub: drafts that change, published versions that do not, where each holds, and
-- photos from which a draft is to be made.
--
-- What a version holds is one file, with a checksum by which nodes fetch it. Head office writes,
-- whoever answers for a shop reads what holds there; the rights are asked for here, too.

-- Two rights more; the others as they were. RIGHTS in hub/people/roles.py is the same table whole.
alter function reach(text, text) rename to reach_before_16;
create function reach(of_role text, wanted text) returns text
language sql immutable parallel safe
return coalesce(
    (
        select told.reach from (values
            ('region', 'see_plans', 'own'), ('auditor', 'see_plans', 'all'),
            ('head_office', 'see_plans', 'all'), ('head_office', 'edit_plans', 'all')
        ) as told (role, right_name, reach)
        where told.role = of_role and told.right_name = wanted
    ),
    reach_before_16(of_role, wanted)
);

create function asking_person() returns uuid
language sql stable security definer set search_path = storepulse, pg_temp
as $$ select me.person from session_now() as me $$;

create table plan_drafts (
    planogram text primary key check (planogram ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$'),
    revision bigint not null default 1,       -- who saves names the one that was opened
    name text not null,
    bay text not null,
    positions integer not null,
    content bytea not null,                   -- our JSON, whole
    changed_at timestamptz not null default now(),
    changed_by uuid references people default asking_person()
);

create table plan_versions (
    planogram text not null check (planogram ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$'),
    version integer not null check (version > 0),
    name text not null,
    bay text not null,
    positions integer not null,
    content bytea not null,
    sha256 bytea not null check (length(sha256) = 32),
    starts_on date,                           -- in each shop's own calendar; null: at once
    published_at timestamptz not null,
    published_by uuid references people default asking_person(),
    primary key (planogram, version)
);

create table plan_places (
    planogram text not null,
    version integer not null,
    shop text not null references shops,
    bay text not null,
    primary key (planogram, version, shop, bay),
    foreign key (planogram, version) references plan_versions
);
create index plan_places_by_shop on plan_places (shop, bay);

-- A photo lies here until it was looked at, no longer: people on it are not blurred yet.
create table plan_photos (
    id uuid primary key,
    planogram text not null,
    name text not null default '',
    bay text not null,
    photo bytea,
    state text not null default 'waiting'
        check (state in ('waiting', 'looking', 'drafted', 'refused')),
    reason text not null default '',
    tries integer not null default 0,
    asked_by uuid references people default asking_person(),
    asked_at timestamptz not null default now(),
    began_at timestamptz,
    ended_at timestamptz
);
create index plan_photos_waiting on plan_photos (asked_at) where state in ('waiting', 'looking');

-- Published is published, for the owner of the database, too.
create function refuse_plan_change() returns trigger language plpgsql as $$
begin
    raise exception 'planogram % version % is published and cannot change', old.planogram,
        old.version using errcode = 'integrity_constraint_violation';
end
$$;
create trigger plan_versions_stand_still before update or delete on plan_versions
    for each row execute function refuse_plan_change();
create trigger plan_places_stand_still before update or delete on plan_places
    for each row execute function refuse_plan_change();

-- The nodes of a shop hear of what was published for it, and of its calendar.
create function plan_places_told() returns trigger
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
begin
    update nodes set config_revision = config_revision + 1
    where shop in (select distinct shop from new_rows);
    return null;
end
$$;
create trigger plan_places_told after insert on plan_places
    referencing new table as new_rows for each statement execute function plan_places_told();

create function shop_calendar_told() returns trigger
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
begin
    update nodes set config_revision = config_revision + 1 where nodes.shop = new.shop;
    return null;
end
$$;
create trigger shop_calendar_told after update of timezone on shops
    for each row when (old.timezone is distinct from new.timezone)
    execute function shop_calendar_told();

alter table plan_drafts enable row level security;
alter table plan_versions enable row level security;
alter table plan_places enable row level security;
alter table plan_photos enable row level security;

create policy edited on plan_drafts to storepulse_api
    using ((select storepulse_api.may('edit_plans')))
    with check ((select storepulse_api.may('edit_plans')));
create policy asked on plan_photos to storepulse_api
    using ((select storepulse_api.may('edit_plans')))
    with check ((select storepulse_api.may('edit_plans')));
create policy seen on plan_places for select to storepulse_api
    using (shop in (select storepulse_api.shops_of('see_plans')));
create policy published on plan_places for insert to storepulse_api
    with check ((select storepulse_api.may('edit_plans')));
create policy seen on plan_versions for select to storepulse_api
    using ((select storepulse_api.may('edit_plans'))
        or (planogram, version) in (select p.planogram, p.version from plan_places as p));
create policy published on plan_versions for insert to storepulse_api
    with check ((select storepulse_api.may('edit_plans')));

grant select, delete, insert (planogram, name, bay, positions, content),
      update (revision, name, bay, positions, content, changed_at) on plan_drafts
    to storepulse_api;
grant select, insert (planogram, version, name, bay, positions, content, sha256, starts_on,
      published_at) on plan_versions to storepulse_api;
grant select, insert on plan_places to storepulse_api;
grant select (id, planogram, name, bay, state, reason, asked_at, ended_at) on plan_photos
    to storepulse_api;

create view storepulse_api.plan_drafts with (security_invoker) as
    select planogram, revision, name, bay, positions, content, changed_at from plan_drafts;
create view storepulse_api.plan_versions with (security_invoker) as
    select planogram, version, name, bay, positions, content, sha256, starts_on, published_at
    from plan_versions;
create view storepulse_api.plan_places with (security_invoker) as
    select planogram, version, shop, bay from plan_places;
create view storepulse_api.plan_photos with (security_invoker) as
    select id, planogram, name, bay, state, reason, asked_at, ended_at from plan_photos;
grant select, insert, update, delete on storepulse_api.plan_drafts to storepulse_api;
grant select, insert on storepulse_api.plan_versions, storepulse_api.plan_places
    to storepulse_api;
grant select on storepulse_api.plan_photos to storepulse_api;

-- The photo itself goes in, and comes out to nobody. False: the session may not edit planograms.
create function storepulse_api.new_plan_photo(
    which uuid, of_planogram text, its_name text, of_bay text, jpeg bytea
) returns boolean
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
begin
    if not storepulse_api.may('edit_plans') then
        return false;
    end if;
    insert into plan_photos (id, planogram, name, bay, photo)
    values (which, of_planogram, its_name, of_bay, jpeg);
    return true;
end
$$;
revoke execute on function storepulse_api.new_plan_photo(uuid, text, text, text, bytea)
    from public;
grant execute on function storepulse_api.new_plan_photo(uuid, text, text, text, bytea)
    to storepulse_api;

-- Which nodes hold what: what each said last.
create view storepulse_api.plan_holders with (security_barrier) as
    select shop, node, coalesce(last_state -> 'plans', '[]'::jsonb) as plans
    from nodes where shop in (select storepulse_api.shops_of('see_plans'));
grant select on storepulse_api.plan_holders to storepulse_api;
revoke execute on function plan_places_told(), shop_calendar_told() from public;
