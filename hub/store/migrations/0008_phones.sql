-- Phones in the shops, the codes by which they pair, and what each node is told of both.
--
-- Sessions see phones without the checksums of their tokens, and change something only by the two
-- functions at the end, which ask themselves for the right and the shop.

create table phones (
    shop text not null references shops,
    phone text not null,
    node_path text not null,                  -- the node that it paired with
    name text not null default '',
    token_sha256 text,                        -- null: only its end was heard of so far
    code_sha256 text,
    paired_at timestamptz,
    said_at timestamptz,                      -- of the newest token: an older message changes nothing
    ended_at timestamptz,                     -- never taken back: a phone that returns is a new one
    ended_by text check (ended_by in ('node', 'hub', 'second use')),
    primary key (shop, phone)
);
create index phones_by_node on phones (node_path);
create index phones_by_code on phones (shop, code_sha256);

-- Of the hub's making; a node's own are its own affair.
create table pairing_codes (
    sha256 text primary key,
    shop text not null references shops,
    made_by uuid references people,
    made_at timestamptz not null default now(),
    ends_at timestamptz not null,
    used_at timestamptz
);
create index pairing_codes_by_shop on pairing_codes (shop, ends_at);

-- The revision counts what was changed; told is what the node said it keeps. A node that is new
-- here is told once, so that it forgets what another hub may have said.
alter table nodes
    add column config_revision bigint not null default 1,
    add column config_told bigint not null default 0,
    add column config_sent bigint not null default 0,
    add column config_sent_at timestamptz;
create index nodes_to_tell on nodes (node_path) where online and config_told < config_revision;

create view storepulse_api.phones with (security_barrier) as
    select phones.shop, phones.phone, nodes.node, phones.name, phones.paired_at, phones.ended_at,
           -- Ended here, and the node has not said yet that it knows.
           phones.ended_at is not null and phones.ended_by <> 'node'
               and nodes.config_told < nodes.config_revision as waits
    from phones join nodes on nodes.node_path = phones.node_path
    where phones.shop in (select storepulse_api.shops_of('pair_phones'))
      and (phones.ended_at is null or phones.ended_at > now() - interval '30 days');
create view storepulse_api.pairing_nodes with (security_barrier) as
    select shop, node_path, node, coalesce(online, false) as online,
           coalesce(last_state ->> 'phones', '') as address,
           config_told >= config_revision as told, first_seen
    from nodes where shop in (select storepulse_api.shops_of('pair_phones'));
grant select on storepulse_api.phones, storepulse_api.pairing_nodes to storepulse_api;

-- 'not_there': no such shop, or none of the session's. 'too_many': that many codes are open there.
create function storepulse_api.new_pairing_code(
    of_shop text, code_sha256 text, lifetime interval, open_max integer,
    out became text, out ends_at timestamptz
)
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
declare
    maker uuid := (select me.person from session_now() as me);
begin
    if of_shop not in (select storepulse_api.shops_of('pair_phones')) then
        became := 'not_there';
        return;
    end if;
    -- Held, so that two at once do not both find room.
    perform from shops where shops.shop = of_shop for update;
    if (select count(*) from pairing_codes as open
        where open.shop = of_shop and open.used_at is null and open.ends_at > now()) >= open_max then
        became := 'too_many';
        return;
    end if;
    delete from pairing_codes as old where old.ends_at < now() - interval '1 day';
    became := 'made';
    ends_at := now() + least(lifetime, interval '15 minutes');
    insert into pairing_codes (sha256, shop, made_by, ends_at)
    values (code_sha256, of_shop, maker, new_pairing_code.ends_at);
    update nodes set config_revision = config_revision + 1 where nodes.shop = of_shop;
end
$$;

-- When the phone ended; null: there is none, or not at a shop of the session.
create function storepulse_api.end_phone(of_shop text, which text) returns timestamptz
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
declare
    ended phones;
begin
    if of_shop not in (select storepulse_api.shops_of('pair_phones')) then
        return null;
    end if;
    update phones set ended_at = now(), ended_by = 'hub'
    where phones.shop = of_shop and phones.phone = which and phones.ended_at is null
    returning * into ended;
    if found then
        update nodes set config_revision = config_revision + 1
        where nodes.node_path = ended.node_path;
        return ended.ended_at;
    end if;
    return (select phones.ended_at from phones
            where phones.shop = of_shop and phones.phone = which);
end
$$;

revoke execute on function storepulse_api.new_pairing_code(text, text, interval, integer)
    from public;
revoke execute on function storepulse_api.end_phone(text, text) from public;
grant execute on function storepulse_api.new_pairing_code(text, text, interval, integer)
    to storepulse_api;
grant execute on function storepulse_api.end_phone(text, text) to storepulse_api;
