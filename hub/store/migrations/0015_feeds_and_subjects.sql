-- Feeds: where rows come from, what was kept aside and why, which deliveries were seen.
--
-- The secret of a webhook stands here in the clear, as a signature needs it: no role but the
-- owner's reads it.

create table feeds (
    name text primary key check (name ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    kind text not null,
    place text not null,                      -- 'webhook', a file, a folder, an address
    options jsonb not null default '{}',
    secret bytea,                             -- of a webhook
    every_s integer not null check (every_s >= 60),
    made_at timestamptz not null default now(),
    ended_at timestamptz,
    last_run_at timestamptz,
    last_ok_at timestamptz,
    next_run_at timestamptz,                  -- null: it is sent, not fetched
    failures integer not null default 0,      -- in a row
    reason text not null default '',          -- of the last failure; '' when the last run was good
    detail text not null default '',
    taken bigint not null default 0,
    same bigint not null default 0
);

-- A bad row once, however often it comes.
create table feed_aside (
    id bigint generated always as identity primary key,
    feed text not null references feeds,
    sha256 bytea not null,
    said jsonb not null,                      -- the row, only the columns that its kind knows
    reason text not null,
    detail text not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    tries integer not null default 1,
    unique (feed, sha256)
);

-- The newest version of each fact that a feed has said.
create table feed_facts (
    series text primary key,
    version integer not null,
    sha256 bytea not null
);

create table feed_deliveries (
    feed text not null references feeds,
    id text not null,
    at timestamptz not null,
    primary key (feed, id)
);
create index feed_deliveries_by_age on feed_deliveries (at);

create view feeds_told as
    select name, kind, place, every_s, made_at, ended_at, last_run_at, last_ok_at, next_run_at,
           failures, reason, detail, taken, same,
           (select count(*) from feed_aside where feed_aside.feed = feeds.name) as aside
    from feeds;
create view storepulse_api.feeds_told with (security_barrier) as
    select * from feeds_told where (select storepulse_api.may('see_faults'));
-- A row may say what a shop sold: for those who may read every figure and every change.
create view storepulse_api.feed_aside with (security_barrier) as
    select id, feed, said, reason, detail, first_at, last_at, tries
    from feed_aside where (select storepulse_api.may('read_audit'));
grant select on storepulse_api.feeds_told, storepulse_api.feed_aside to storepulse_api;

-- Sign-in by a provider of elsewhere (OpenID Connect): who is whom there, and tries under way. Only
-- the owner reads them: whoever signs in has no session yet.
create table person_subjects (
    issuer text not null,
    subject text not null,                    -- as the provider has it; never a mail address
    person uuid not null references people,
    linked_at timestamptz not null default now(),
    primary key (issuer, subject)
);
create index person_subjects_by_person on person_subjects (person);

create table oidc_tries (
    state_sha256 bytea primary key,
    browser_sha256 bytea not null,            -- of the secret in the cookie of whoever began
    nonce text not null,
    verifier text not null,                   -- PKCE
    welcome_sha256 bytea,                     -- the link that is used by it
    person uuid references people,            -- whoever had signed in and links the account
    ends_at timestamptz not null
);

-- Erasing somebody: the row stays for those that refer to it, and says nothing of the person.
alter table people add column erased_at timestamptz;
