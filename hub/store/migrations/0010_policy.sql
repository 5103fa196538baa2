-- Policies that people publish, and codes that say their words in both languages.

alter table codes
    add column rule_zh text not null default '',
    add column turns_green_when_zh text not null default '';
create or replace view storepulse_api.codes with (security_barrier) as
    select * from codes where shop in (select storepulse_api.shops_of('read_figures'));

alter table policies add column published_by text not null default '';
create or replace view storepulse_api.policies with (security_barrier) as
    select version, name, starts_on, body, published_at, published_by
    from policies where (select storepulse_api.may('see_shops'));

-- The same table as RIGHTS in hub/people/roles.py; a test compares them.
create or replace function reach(of_role text, wanted text) returns text
language sql immutable parallel safe
return (
    select told.reach from (values
        ('clerk', 'see_shops', 'own'), ('clerk', 'read_figures', 'own'),
        ('region', 'see_shops', 'own'), ('region', 'read_figures', 'own'),
        ('region', 'see_nodes', 'own'), ('region', 'pair_phones', 'own'),
        ('region', 'try_policy', 'own'),
        ('head_office', 'see_shops', 'all'), ('head_office', 'read_figures', 'all'),
        ('head_office', 'see_nodes', 'all'), ('head_office', 'see_faults', 'all'),
        ('head_office', 'pair_phones', 'all'), ('head_office', 'invite_nodes', 'all'),
        ('head_office', 'manage_people', 'all'), ('head_office', 'try_policy', 'all'),
        ('head_office', 'edit_policy', 'all'),
        ('installer', 'see_shops', 'all'), ('installer', 'see_nodes', 'all'),
        ('installer', 'see_faults', 'all'), ('installer', 'pair_phones', 'all'),
        ('installer', 'invite_nodes', 'all')
    ) as told (role, right_name, reach)
    where told.role = of_role and told.right_name = wanted
);

-- Publish a version. 'taken': it is not the next one (`next` is). 'past': the day is over, or is
-- yesterday already for the shop farthest east; `first_day` is the first that is allowed.
create function put_policy(
    asked_version integer, policy_name text, first_of date, policy_body jsonb, by_whom text,
    out became text, out next integer, out first_day date
)
language plpgsql set search_path = storepulse, pg_temp
as $$
begin
    -- One at a time: versions count without holes.
    lock table policies in exclusive mode;
    next := coalesce((select max(version) from policies), 0) + 1;
    first_day := greatest(
        (now() at time zone 'UTC')::date,
        (select max((now() at time zone shops.timezone)::date) from shops)
    );
    if asked_version <> next then
        became := 'taken';
    elsif first_of < first_day then
        became := 'past';
    else
        became := 'published';
        insert into policies (version, name, starts_on, body, published_by)
        values (next, policy_name, first_of, policy_body, by_whom);
        -- Where that day has begun, today's codes are computed again; no day before it is.
        insert into touched_days (shop, day)
        select shop, (now() at time zone shops.timezone)::date from shops
        where (now() at time zone shops.timezone)::date >= first_of;
        perform pg_notify('storepulse_touched', '');
    end if;
end
$$;

-- The same for whoever may; the body names the version that it asks for. 'not_yours': may not.
create function storepulse_api.publish_policy(
    policy_body jsonb, out became text, out next integer, out first_day date
)
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
declare
    put record;
begin
    if not storepulse_api.may('edit_policy') then
        became := 'not_yours';
        return;
    end if;
    select * into put from put_policy(
        (policy_body ->> 'version')::integer, policy_body ->> 'name',
        (policy_body ->> 'starts_on')::date, policy_body,
        (select me.name from storepulse_api.me() as me)
    );
    became := put.became;
    next := put.next;
    first_day := put.first_day;
end
$$;

revoke execute on function put_policy(integer, text, date, jsonb, text) from public;
revoke execute on function storepulse_api.publish_policy(jsonb) from public;
grant execute on function storepulse_api.publish_policy(jsonb) to storepulse_api;
