-- People, what they may see, and how the database keeps shops apart by itself.
--
-- The API reads as the role storepulse_api, with the checksum of the session's secret in the setting
-- storepulse.session. From it the functions here find person, role and shops; an ended or old session
-- finds nobody and sees nothing. Figures: views, no grant on a table. People: row security.

create table people (
    id uuid primary key default gen_random_uuid(),
    name text not null,
    name_key text not null,                   -- the name as sign-in compares it
    role text not null check (role in ('clerk', 'region', 'head_office', 'installer')),
    password text,                            -- argon2id; null: the welcome link was not used yet
    welcomed boolean generated always as (password is not null) stored,
    made_at timestamptz not null default now(),
    ended_at timestamptz
);
create unique index people_by_name on people (name_key) where ended_at is null;

create table person_regions (
    person uuid not null references people,
    region text not null check (region <> ''),
    primary key (person, region)
);
create table person_shops (
    person uuid not null references people,
    shop text not null references shops,
    primary key (person, shop)
);

create table sessions (
    id uuid primary key default gen_random_uuid(),
    token_sha256 bytea not null unique,       -- of 32 random bytes: nothing can be guessed from it
    person uuid not null references people,
    made_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    ended_at timestamptz,
    seen_from text not null default ''
);
create index sessions_by_person on sessions (person) where ended_at is null;

create table welcome_links (
    token_sha256 bytea primary key,
    person uuid references people,            -- null: the first person of head office
    made_at timestamptz not null default now(),
    ends_at timestamptz not null,
    used_at timestamptz
);
create index welcome_links_by_person on welcome_links (person) where used_at is null;

-- Tries to sign in that were not right (yet), by name and by address.
create table sign_in_tries (
    who text primary key,
    tries integer not null,
    last_at timestamptz not null
);

-- The same table as RIGHTS in hub/people.py; a test compares them.
create function reach(of_role text, wanted text) returns text
language sql immutable parallel safe
return (
    select told.reach from (values
        ('clerk', 'see_shops', 'own'), ('clerk', 'read_figures', 'own'),
        ('region', 'see_shops', 'own'), ('region', 'read_figures', 'own'),
        ('region', 'see_nodes', 'own'), ('region', 'pair_phones', 'own'),
        ('head_office', 'see_shops', 'all'), ('head_office', 'read_figures', 'all'),
        ('head_office', 'see_nodes', 'all'), ('head_office', 'see_faults', 'all'),
        ('head_office', 'pair_phones', 'all'), ('head_office', 'invite_nodes', 'all'),
        ('head_office', 'manage_people', 'all'),
        ('installer', 'see_shops', 'all'), ('installer', 'see_nodes', 'all'),
        ('installer', 'see_faults', 'all'), ('installer', 'pair_phones', 'all'),
        ('installer', 'invite_nodes', 'all')
    ) as told (role, right_name, reach)
    where told.role = of_role and told.right_name = wanted
);

-- Who asks: no row without a session, with an ended or old one, or when its person has ended.
create function session_now() returns table (session uuid, person uuid, role text)
language sql stable security definer set search_path = storepulse, pg_temp
as $$
    select sessions.id, people.id, people.role
    from sessions join people on people.id = sessions.person
    where sessions.token_sha256 = decode(current_setting('storepulse.session', true), 'hex')
      and sessions.ended_at is null and people.ended_at is null
      and sessions.made_at > now() - interval '30 days'
      and sessions.last_used_at > now() - interval '12 hours'
$$;

create function storepulse_api.me()
returns table (session uuid, person uuid, name text, role text, regions text[], shops text[])
language sql stable security definer set search_path = storepulse, pg_temp
as $$
    select me.session, me.person, people.name, me.role,
           array(select region from person_regions r where r.person = me.person order by region),
           array(select shop from person_shops s where s.person = me.person order by shop)
    from session_now() as me join people on people.id = me.person
$$;

-- The same, and remembers that the session was used: to the minute, so that reading writes little.
create function storepulse_api.use_session()
returns table (session uuid, person uuid, name text, role text, regions text[], shops text[])
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
begin
    update sessions set last_used_at = now()
    where id = (select now.session from session_now() as now)
      and last_used_at < now() - interval '1 minute';
    return query select * from storepulse_api.me();
end
$$;

create function storepulse_api.may(wanted text) returns boolean
language sql stable security definer set search_path = storepulse, pg_temp
as $$
    select exists (select from session_now() as me where reach(me.role, wanted) is not null)
$$;

-- The shops at which the session has a right. Views ask once a query, not once a row.
create function storepulse_api.shops_of(wanted text) returns setof text
language sql stable rows 100 security definer set search_path = storepulse, pg_temp
as $$
    with me as materialized (
        select now.person, reach(now.role, wanted) as reach from session_now() as now
    )
    select shop from shops where (select me.reach from me) = 'all'
    union all
    select shop from person_shops where person = (select me.person from me where me.reach = 'own')
    union
    select shops.shop from shops join person_regions using (region)
    where person = (select me.person from me where me.reach = 'own')
$$;

-- The newest day with a code, by an index: a view would go through every code.
create function storepulse_api.newest_code_day() returns date
language sql stable security definer set search_path = storepulse, pg_temp
as $$
    select case (select reach(me.role, 'read_figures') from session_now() as me)
        when 'all' then (select max(day) from codes)
        when 'own' then (
            select max(newest.day)
            from storepulse_api.shops_of('read_figures') as seen (shop)
            cross join unnest(array['people', 'goods', 'place', 'conversion']) as one (dimension)
            cross join lateral (
                select day from codes
                where codes.shop = seen.shop and codes.dimension = one.dimension
                order by day desc limit 1
            ) as newest
        )
    end
$$;

drop view storepulse_api.shops, storepulse_api.facts, storepulse_api.codes, storepulse_api.actions,
    storepulse_api.checklists, storepulse_api.checklist_items;
drop function storepulse_api.may_see(text);

-- Named like the tables: what the owner asks of a table, a session asks of the view, word for word.
create view storepulse_api.shops with (security_barrier) as
    select shop, name, region, format, latitude, longitude, timezone, assigned, simulated, created_at
    from shops where shop in (select storepulse_api.shops_of('see_shops'));
create view storepulse_api.policies with (security_barrier) as
    select version, name, starts_on, body, published_at
    from policies where (select storepulse_api.may('see_shops'));
create view storepulse_api.facts with (security_barrier) as
    select id, shop, metric, started_at, ended_at, value, low, high, n, coverage, independent,
           dims, method, source, received_at
    from facts where shop in (select storepulse_api.shops_of('read_figures'));
create view storepulse_api.codes with (security_barrier) as
    select * from codes where shop in (select storepulse_api.shops_of('read_figures'));
create view storepulse_api.actions with (security_barrier) as
    select id, shop, kind, dimension, day, subject, body, state, created_at, due_at, node_path,
           delivered_at
    from actions where shop in (select storepulse_api.shops_of('read_figures'));
create view storepulse_api.action_moves with (security_barrier) as
    select moves.id, moves.action, moves.from_state, moves.to_state, moves.event, moves.at,
           moves.reason
    from action_moves as moves join actions on actions.id = moves.action
    where actions.shop in (select storepulse_api.shops_of('read_figures'));
create view storepulse_api.checklists with (security_barrier) as
    select id, shop, node_path, bay, photo, planogram, planogram_version, made_at, body
    from checklists where shop in (select storepulse_api.shops_of('read_figures'));
create view storepulse_api.checklist_items with (security_barrier) as
    select shop, checklist, item, state, reason, changed_at
    from checklist_items where shop in (select storepulse_api.shops_of('read_figures'));
create view storepulse_api.receptions with (security_barrier) as
    select shop, id, at, undone
    from receptions where shop in (select storepulse_api.shops_of('read_figures'));
create view storepulse_api.experiences with (security_barrier) as
    select shop, ticket, begun_at, undone
    from experiences where shop in (select storepulse_api.shops_of('read_figures'));
create view storepulse_api.deals with (security_barrier) as
    select shop, id, ticket, made_at, amount, undone
    from deals where shop in (select storepulse_api.shops_of('read_figures'));
create view storepulse_api.nodes with (security_barrier) as
    select node_path, chain, shop, node, first_seen, last_seen, online, last_state
    from nodes where shop in (select storepulse_api.shops_of('see_nodes'));
create view storepulse_api.streams_told with (security_barrier) as
    select nodes.shop, s.stream, s.node_path, s.epoch, s.through,
           (select count(*) from messages m where m.stream = s.stream) as messages,
           (select count(*) from quarantine q
            where q.node_path = s.node_path and q.epoch = s.epoch) as quarantined
    from streams s join nodes on nodes.node_path = s.node_path
    where nodes.shop in (select storepulse_api.shops_of('see_nodes'));
create view storepulse_api.quarantine with (security_barrier) as
    select id, node_path, epoch, number, reason, raw, received_at
    from quarantine where (select storepulse_api.may('see_faults'));
create view storepulse_api.alarms with (security_barrier) as
    select id, kind, node_path, detail, raised_at
    from alarms where (select storepulse_api.may('see_faults'));

grant select on all tables in schema storepulse_api to storepulse_api;

-- People: row security, and only the columns that may be seen. No password, no session's checksum.
alter table people enable row level security;
alter table person_regions enable row level security;
alter table person_shops enable row level security;
alter table sessions enable row level security;
alter table welcome_links enable row level security;
alter table sign_in_tries enable row level security;

create policy own on people for select to storepulse_api
    using (id = (select person from session_now()));
create policy managed on people to storepulse_api
    using ((select storepulse_api.may('manage_people')))
    with check ((select storepulse_api.may('manage_people')));
create policy own on person_regions for select to storepulse_api
    using (person = (select me.person from session_now() as me));
create policy managed on person_regions to storepulse_api
    using ((select storepulse_api.may('manage_people')))
    with check ((select storepulse_api.may('manage_people')));
create policy own on person_shops for select to storepulse_api
    using (person = (select me.person from session_now() as me));
create policy managed on person_shops to storepulse_api
    using ((select storepulse_api.may('manage_people')))
    with check ((select storepulse_api.may('manage_people')));
create policy own on sessions to storepulse_api
    using (person = (select me.person from session_now() as me));
create policy managed on sessions to storepulse_api
    using ((select storepulse_api.may('manage_people')));
-- The link for the first person is the machine's own affair: nobody makes one over the API.
create policy managed on welcome_links to storepulse_api
    using (person is not null and (select storepulse_api.may('manage_people')))
    with check (person is not null and (select storepulse_api.may('manage_people')));

grant select (id, name, name_key, role, welcomed, made_at, ended_at),
      insert (name, name_key, role), update (role, ended_at) on people to storepulse_api;
grant select, insert, delete on person_regions, person_shops to storepulse_api;
grant select (id, person, made_at, last_used_at, ended_at, seen_from), update (ended_at)
    on sessions to storepulse_api;
-- The checksum of a link's secret opens nothing, and only who may make links sees a row.
grant select (token_sha256, person, ends_at, used_at),
      insert (token_sha256, person, ends_at), update (ends_at)
    on welcome_links to storepulse_api;

create view storepulse_api.people with (security_invoker) as
    select id, name, name_key, role, welcomed, made_at, ended_at from people;
create view storepulse_api.person_regions with (security_invoker) as
    select person, region from person_regions;
create view storepulse_api.person_shops with (security_invoker) as
    select person, shop from person_shops;
create view storepulse_api.sessions with (security_invoker) as
    select id, person, made_at, last_used_at, ended_at, seen_from from sessions;
create view storepulse_api.welcome_links with (security_invoker) as
    select token_sha256, person, ends_at, used_at from welcome_links;
grant select, insert (name, name_key, role), update (role, ended_at)
    on storepulse_api.people to storepulse_api;
grant select, insert, delete on storepulse_api.person_regions, storepulse_api.person_shops
    to storepulse_api;
grant select, update (ended_at) on storepulse_api.sessions to storepulse_api;
grant select, insert (token_sha256, person, ends_at), update (ends_at)
    on storepulse_api.welcome_links to storepulse_api;

revoke execute on all functions in schema storepulse_api from public;
grant execute on all functions in schema storepulse_api to storepulse_api;

-- Open pages hear of their own shops only: the notification names the shop.
drop trigger codes_shown on codes;
drop trigger actions_shown on actions;
drop trigger checklist_items_shown on checklist_items;
drop function notify_shown();

create function notify_shown() returns trigger language plpgsql as $$
begin
    perform pg_notify('storepulse_shown', named.shop)
    from (select distinct shop from new_rows) as named;
    return null;
end
$$;

create trigger codes_shown after insert on codes
    referencing new table as new_rows for each statement execute function notify_shown();
create trigger actions_shown after insert on actions
    referencing new table as new_rows for each statement execute function notify_shown();
create trigger actions_moved_shown after update on actions
    referencing new table as new_rows for each statement execute function notify_shown();
create trigger checklist_items_shown after update on checklist_items
    referencing new table as new_rows for each statement execute function notify_shown();

-- And at once when a session, a person or a right ends.
create function notify_people() returns trigger language plpgsql as $$
begin
    perform pg_notify('storepulse_people', '');
    return null;
end
$$;

create trigger sessions_ended after update of ended_at on sessions
    for each statement execute function notify_people();
create trigger people_changed after update of role, ended_at on people
    for each statement execute function notify_people();
create trigger person_regions_changed after insert or delete on person_regions
    for each statement execute function notify_people();
create trigger person_shops_changed after insert or delete on person_shops
    for each statement execute function notify_people();
create trigger shops_moved after update of region on shops
    for each statement execute function notify_people();

-- The hub's own user must be able to become that role. It is, unless an administrator made the role.
do $$
begin
    set local role storepulse_api;
    reset role;
exception
    when insufficient_privilege then
        begin
            execute format('grant storepulse_api to %I', current_user);
        exception
            when insufficient_privilege then
                raise exception 'the database user % may not become storepulse_api: let an '
                    'administrator run `grant storepulse_api to %`, then start again',
                    current_user, current_user;
        end;
end
$$;
