-- Rules of handing out, a chain's own playbooks, videos, notices, and customers who agreed.
--
-- Customers lie in a schema of their own, storepulse_care, in which storepulse_api has no right at
-- all. Contacts and channels are sealed by the hub's key file: the database alone opens none.

create table action_rules (
    version integer primary key,
    body jsonb not null,
    published_at timestamptz not null default now()
);

-- Each change is a new version; the texts as they were written, both languages.
create table playbooks (
    name text not null,
    version integer not null,
    en text not null,
    zh text not null,
    note text not null default '',
    by uuid references people,                -- null: by a command on the hub's machine
    published_at timestamptz not null default now(),
    primary key (name, version)
);

create table shop_videos (
    shop text primary key references shops,
    address text not null
);

-- What each person chose: by which channels (sealed), when not, and when the digest comes.
create table notice_choices (
    person uuid primary key references people,
    sealed bytea not null,                    -- the addresses; they hold passwords
    services text[] not null,                 -- their kinds, to be shown
    kinds text[] not null,
    quiet_from time,
    quiet_until time,
    digest_at time,
    timezone text not null,
    language text not null check (language in ('en', 'zh')),
    changed_at timestamptz not null default now()
);

create table notices (
    id bigint generated always as identity primary key,
    person uuid not null references people,
    key text not null,                        -- what it is about: told once
    kind text not null,
    title text not null,
    body text not null,
    made_at timestamptz not null,
    next_try_at timestamptz not null,
    tries integer not null default 0,
    sent_at timestamptz,
    gave_up_at timestamptz,
    last_error text not null default '',
    unique (person, key)
);
create index notices_due on notices (next_try_at) where sent_at is null and gave_up_at is null;

create view storepulse_api.action_rules with (security_barrier) as
    select version, body, published_at
    from action_rules where (select storepulse_api.may('see_shops'));
create view playbooks_told as
    select playbooks.name, version, en, zh, note, published_at, people.name as by_whom
    from playbooks left join people on people.id = playbooks.by;
create view storepulse_api.playbooks_told with (security_barrier) as
    select * from playbooks_told where (select storepulse_api.may('see_shops'));
create view storepulse_api.shop_videos with (security_barrier) as
    select shop, address
    from shop_videos where shop in (select storepulse_api.shops_of('read_figures'));
create view storepulse_api.my_notices with (security_barrier) as
    select id, kind, title, body, made_at, next_try_at, tries, sent_at, gave_up_at, last_error
    from notices where person = (select me.person from session_now() as me);
create view storepulse_api.my_notice_choice with (security_barrier) as
    select services, kinds, quiet_from, quiet_until, digest_at, timezone, language, changed_at
    from notice_choices where person = (select me.person from session_now() as me);
grant select on storepulse_api.action_rules, storepulse_api.playbooks_told,
    storepulse_api.shop_videos, storepulse_api.my_notices, storepulse_api.my_notice_choice to storepulse_api;

-- The new version's number; null: not for whoever asks. `after` is the version that was edited: when
-- somebody else was first, nothing is written and 0 comes back.
create function storepulse_api.publish_playbook(
    of_name text, in_en text, in_zh text, why text, after integer
) returns integer
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
declare
    newest integer;
begin
    if not exists (select from session_now() as me where me.role = 'head_office') then
        return null;
    end if;
    perform pg_advisory_xact_lock(hashtext('playbook ' || of_name));
    select coalesce(max(version), 0) into newest from playbooks where name = of_name;
    if newest <> after then
        return 0;
    end if;
    insert into playbooks (name, version, en, zh, note, by)
    values (of_name, newest + 1, in_en, in_zh, why, (select person from session_now()));
    return newest + 1;
end
$$;

-- False: nobody asks. No channels: the choice is taken back, and what waits is not sent.
create function storepulse_api.choose_notices(
    in_sealed bytea, in_services text[], in_kinds text[], in_quiet_from time, in_quiet_until time,
    in_digest_at time, in_timezone text, in_language text
) returns boolean
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
declare
    me uuid := (select now.person from session_now() as now);
begin
    if me is null then
        return false;
    end if;
    delete from notice_choices where person = me;
    if in_services = '{}' then
        delete from notices where person = me and sent_at is null;
        return true;
    end if;
    insert into notice_choices (person, sealed, services, kinds, quiet_from, quiet_until,
                                digest_at, timezone, language)
    values (me, in_sealed, in_services, in_kinds, in_quiet_from, in_quiet_until, in_digest_at,
            in_timezone, in_language);
    return true;
end
$$;

create schema storepulse_care;
revoke all on schema storepulse_care from public;

-- The secret behind a ticket's QR; only its checksum is kept.
create table storepulse_care.ticket_links (
    token_sha256 bytea primary key,
    shop text not null,
    ticket text not null,
    made_at timestamptz not null default now()
);

create table storepulse_care.consents (
    id uuid primary key default gen_random_uuid(),
    shop text not null,
    ticket text not null,
    sealed bytea,                             -- the contact; null from the withdrawal on
    lookup bytea,                             -- keyed checksum, to find a person's own rows by
    language text not null check (language in ('en', 'zh')),
    text_version integer not null,            -- of the consent text that was shown
    given_at timestamptz not null,
    withdrawn_at timestamptz,
    out_sha256 bytea not null unique,         -- of the secret of the way out
    out_sealed bytea,
    check ((sealed is null) = (withdrawn_at is not null)),
    check ((lookup is null) = (withdrawn_at is not null))
);
create unique index consent_once on storepulse_care.consents (shop, ticket)
    where withdrawn_at is null;
create index consents_by_lookup on storepulse_care.consents (lookup);

-- One message for an experience, ever: also after a consent was withdrawn and given again.
create table storepulse_care.messages (
    shop text not null,
    ticket text not null,
    consent uuid references storepulse_care.consents on delete set null,
    coupon text not null unique,
    made_at timestamptz not null,
    next_try_at timestamptz not null,
    tries integer not null default 0,
    sent_at timestamptz,
    gave_up_at timestamptz,
    last_error text not null default '',
    primary key (shop, ticket)
);

-- What was done with whose data: no contact in it, and nothing is changed or deleted.
create table storepulse_care.record (
    id bigint generated always as identity primary key,
    at timestamptz not null,
    consent uuid,
    shop text not null default '',
    what text not null,
    detail text not null default ''
);
create function storepulse_care.no_change() returns trigger language plpgsql as $$
begin
    raise exception 'the record is only added to';
end
$$;
create trigger record_stays before update or delete on storepulse_care.record
    for each statement execute function storepulse_care.no_change();

-- False: no such experience at a shop of the session.
create function storepulse_api.new_ticket_link(of_shop text, of_ticket text, sha256 bytea)
returns boolean
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
begin
    if of_shop not in (select storepulse_api.shops_of('read_figures')) or not exists (
        select from experiences as one
        where one.shop = of_shop and one.ticket = of_ticket and not one.undone
    ) then
        return false;
    end if;
    insert into storepulse_care.ticket_links (token_sha256, shop, ticket)
    values (sha256, of_shop, of_ticket);
    return true;
end
$$;

-- Of the last 28 days: how many agreed, and what became of their messages. No contact, no ticket.
create function storepulse_api.care_counts(of_shop text)
returns table (agreed bigint, sent bigint, waiting bigint, gave_up bigint)
language sql stable security definer set search_path = storepulse, pg_temp
as $$
    select
        (select count(*) from storepulse_care.consents as one
         where one.shop = of_shop and one.withdrawn_at is null
           and one.given_at > now() - interval '28 days'),
        count(*) filter (where m.sent_at is not null),
        count(*) filter (where m.sent_at is null and m.gave_up_at is null),
        count(*) filter (where m.gave_up_at is not null)
    from storepulse_care.messages as m
    where m.shop = of_shop and m.made_at > now() - interval '28 days'
      and of_shop in (select storepulse_api.shops_of('read_figures'))
    having of_shop in (select storepulse_api.shops_of('read_figures'))
$$;

revoke execute on all functions in schema storepulse_api from public;
grant execute on all functions in schema storepulse_api to storepulse_api;
