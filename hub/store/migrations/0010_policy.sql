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

-- How bad each shop's day is, by the newest version of its four codes: 0 red to 4 green, as a board
-- sorts. A board of ten thousand shops takes its page from here and not from all codes.
create table shown_days (
    shop text not null,
    day date not null,
    rank smallint not null,
    primary key (shop, day)
);
create index shown_days_by_rank on shown_days (day, rank, shop);

create function rank_of(colour text) returns smallint
language sql immutable parallel safe
return array_position(array['red', 'orange', 'unknown', 'yellow', 'green'], colour) - 1;

insert into shown_days (shop, day, rank)
select shop, day, min(rank_of(colour))
from (
    select distinct on (shop, dimension, day) shop, day, colour from codes
    order by shop, dimension, day, version desc
) as newest
group by shop, day;

create function rank_days() returns trigger language plpgsql as $$
begin
    insert into storepulse.shown_days (shop, day, rank)
    select told.shop, told.day, min(storepulse.rank_of(newest.colour))
    from (select distinct shop, day from new_rows) as told
    cross join unnest(array['people', 'goods', 'place', 'conversion']) as one (dimension)
    cross join lateral (
        select colour from storepulse.codes
        where codes.shop = told.shop and codes.dimension = one.dimension and codes.day = told.day
        order by version desc limit 1
    ) as newest
    group by told.shop, told.day
    on conflict (shop, day) do update set rank = excluded.rank
        where shown_days.rank <> excluded.rank;
    return null;
end
$$;
create trigger codes_ranked after insert on codes
    referencing new table as new_rows for each statement execute function rank_days();

-- One page of a board, worst first, of the shops that the session may see: how many there are in
-- all, and the page as JSON, as the API gives it. A shop whose day was not computed has no codes.
create function storepulse_api.board_page(
    of_day date, skip integer, at_most integer, of_region text, of_format text, of_colour text,
    called text, out total bigint, out page text
)
language plpgsql stable security definer set search_path = storepulse, pg_temp
as $$
declare
    sees text := (select reach(me.role, 'read_figures') from session_now() as me);
    wanted smallint := rank_of(of_colour);
begin
    with chosen as materialized (
        select shops.shop, shops.name, shops.region, shops.format, shops.assigned,
               shops.simulated, coalesce(shown.rank, 2) as rank
        from shops left join shown_days as shown on shown.shop = shops.shop and shown.day = of_day
        where (sees = 'all'
               or sees = 'own' and shops.shop in (select storepulse_api.shops_of('read_figures')))
          and (of_region is null or shops.region = of_region)
          and (of_format is null or shops.format = of_format)
          and (wanted is null or coalesce(shown.rank, 2) = wanted)
          and (called is null or strpos(lower(shops.shop || ' ' || shops.name), lower(called)) > 0)
    ), cut as materialized (
        select * from chosen order by rank, shop limit at_most offset skip
    )
    select (select count(*) from chosen), coalesce(json_agg(json_build_object(
        'shop', cut.shop, 'name', cut.name, 'region', cut.region, 'format', cut.format,
        'assigned', cut.assigned, 'simulated', cut.simulated,
        'colour', (array['red', 'orange', 'unknown', 'yellow', 'green'])[cut.rank + 1],
        'codes', four.codes
    ) order by cut.rank, cut.shop), '[]'::json)::text
    into total, page
    from cut cross join lateral (
        select coalesce(json_agg(json_build_object(
            'dimension', newest.dimension, 'colour', newest.colour,
            'probability', newest.probability, 'turning', newest.turning,
            'value', newest.value, 'unit', newest.unit, 'rule', newest.rule,
            'rule_zh', newest.rule_zh
        ) order by one.place), '[]'::json) as codes
        from unnest(array['people', 'goods', 'place', 'conversion'])
            with ordinality as one (dimension, place)
        cross join lateral (
            select * from codes
            where codes.shop = cut.shop and codes.dimension = one.dimension
              and codes.day = of_day
            order by version desc limit 1
        ) as newest
    ) as four;
end
$$;
revoke execute on function
    storepulse_api.board_page(date, integer, integer, text, text, text, text) from public;
grant execute on function
    storepulse_api.board_page(date, integer, integer, text, text, text, text) to storepulse_api;

create index actions_overdue on actions (shop) where state = 'overdue';
