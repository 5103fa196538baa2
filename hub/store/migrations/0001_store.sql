-- What the hub keeps. Everything lives in the schema storepulse, owned by whoever migrates.

create table shops (
    shop text primary key,
    name text not null default '',
    region text not null default '',
    format text not null default '',
    latitude double precision,
    longitude double precision,
    timezone text not null default 'UTC',
    -- false: named by a fact or a node, but by no list of shops yet
    assigned boolean not null default false,
    simulated boolean not null default false,
    created_at timestamptz not null default now()
);

create table nodes (
    node_path text primary key,               -- /storepulse/{chain}/{shop}/{node}
    chain text not null,
    shop text not null references shops,
    node text not null,
    first_seen timestamptz not null default now(),
    last_seen timestamptz not null default now(),
    online boolean,                           -- null: it has not said so yet
    last_state jsonb
);
create index nodes_by_shop on nodes (shop, first_seen);

-- One life of one node's outbox. Its row is locked while a batch of it is stored.
create table streams (
    stream bigint generated always as identity primary key,
    node_path text not null references nodes,
    epoch text not null,
    through bigint not null default 0,        -- every number up to here is stored
    unique (node_path, epoch)
);

-- Each key once: also the quarantined ones. sha256 is that of the body.
create table messages (
    stream bigint not null references streams,
    number bigint not null,
    sha256 bytea not null,
    received_at timestamptz not null,
    primary key (stream, number)
);

-- Tombstones: numbers that a node merged into coarser facts for want of disk.
create table merged_numbers (
    stream bigint not null references streams,
    first bigint not null,
    last bigint not null,
    primary key (stream, first, last)
);

-- Partitions by month, made when the first fact of a month comes. No foreign key to shops: attaching
-- a partition would lock that table against every writer; facts are written by one function.
create table facts (
    id text not null,
    shop text not null,
    metric text not null,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    value double precision,                   -- null: looked at, too little evidence
    low double precision,
    high double precision,
    n bigint,
    coverage double precision not null,
    independent double precision not null,
    dims jsonb not null,
    method text not null,
    source text not null,
    stream bigint,                            -- the message that said it; null: loaded from a file
    number bigint,
    received_at timestamptz not null
) partition by range (started_at);
create index facts_by_shop on facts (shop, metric, started_at);
create index facts_by_message on facts (stream, number) where stream is not null;

-- Makes an id unique across the partitions of facts.
create table fact_ids (
    id text primary key,
    sha256 bytea not null,
    started_at timestamptz not null
);

-- Told under an unsynchronised clock: waits here, in no code, until the boot's offset is known.
create table facts_untimed (
    stream bigint not null references streams,
    number bigint not null,
    node_path text not null,
    boot text not null,
    monotonic_s double precision not null,
    said_at timestamptz not null,             -- by the node's wrong wall clock
    kind text not null,                       -- the CloudEvents type: a fact or a tap
    fact jsonb not null,
    received_at timestamptz not null,
    primary key (stream, number)
);
create index facts_untimed_by_boot on facts_untimed (node_path, boot);

-- true time = monotonic + offset_s (seconds since 1970)
create table boots (
    node_path text not null references nodes,
    boot text not null,
    offset_s double precision not null,
    exact boolean not null,                   -- by the node's own synchronised clock
    learned_at timestamptz not null,
    primary key (node_path, boot)
);

create table events (
    stream bigint not null references streams,
    number bigint not null,
    node_path text not null,
    shop text not null references shops,
    kind text not null,                       -- the CloudEvents type
    at timestamptz not null,
    body jsonb not null,
    received_at timestamptz not null,
    primary key (stream, number)
);
create index events_by_shop on events (shop, at);

create table quarantine (
    id bigint generated always as identity primary key,
    node_path text not null,
    epoch text not null,
    number bigint not null,
    reason text not null,
    raw text not null,
    received_at timestamptz not null
);

create table alarms (
    id bigint generated always as identity primary key,
    kind text not null,
    node_path text not null,
    detail text not null,
    raised_at timestamptz not null
);

create table checklists (
    id text primary key,
    shop text not null references shops,
    node_path text not null,
    bay text not null,
    photo text not null,
    planogram text not null,
    planogram_version bigint not null,
    made_at timestamptz not null,
    body jsonb not null
);
create index checklists_by_shop on checklists (shop, made_at);

-- The shop is part of the key, so that no shop can mark another's item. A mark may arrive before
-- its checklist: it then waits here.
create table checklist_items (
    shop text not null references shops,
    checklist text not null,
    item text not null,
    state text not null default 'open',
    reason text not null default '',
    changed_at timestamptz not null,
    primary key (shop, checklist, item)
);

create table receptions (
    shop text not null references shops,
    id text not null,
    at timestamptz not null,
    undone boolean not null default false,
    primary key (shop, id)
);
create index receptions_by_time on receptions (shop, at);

create table experiences (
    shop text not null references shops,
    ticket text not null,
    begun_at timestamptz not null,
    undone boolean not null default false,
    primary key (shop, ticket)
);
create index experiences_by_time on experiences (shop, begun_at);

create table deals (
    shop text not null references shops,
    id text not null,
    ticket text,
    made_at timestamptz not null,
    amount double precision,
    undone boolean not null default false,
    primary key (shop, id)
);
create index deals_by_ticket on deals (shop, ticket);
create index deals_by_time on deals (shop, made_at);

-- Taps that were taken back; also those whose tap has not arrived yet.
create table undone_taps (
    shop text not null references shops,
    tap text not null,
    at timestamptz not null,
    primary key (shop, tap)
);

create table policies (
    version integer primary key,
    name text not null,
    starts_on date not null,
    body jsonb not null,
    published_at timestamptz not null default now()
);

-- A recomputation that gives something else is a new version; the past is never overwritten.
create table codes (
    shop text not null references shops,
    dimension text not null,
    day date not null,
    version integer not null,
    computed_at timestamptz not null,
    policy_version integer not null,
    colour text not null,
    probability double precision not null,
    value double precision,
    low double precision,
    high double precision,
    rule text not null,
    turns_green_at jsonb,
    turning text,
    facts text[] not null,
    primary key (shop, dimension, day, version)
);
create index codes_by_day on codes (day, shop, dimension, version desc);

create table actions (
    id text primary key,
    shop text not null references shops,
    kind text not null,
    dimension text not null,
    day date not null,
    subject text not null default '',         -- what tells two of a kind and day apart: a ticket
    body jsonb not null,
    state text not null,
    created_at timestamptz not null,
    due_at timestamptz not null,
    node_path text,                           -- null: the shop's first node
    delivered_at timestamptz,                 -- the node has stored it
    last_sent_at timestamptz,
    unique (shop, kind, dimension, day, subject)
);
create index actions_by_day on actions (day, shop);
create index actions_unsent on actions (shop) where delivered_at is null;
create index actions_due on actions (due_at) where state in ('pushed', 'delivered', 'seen');

create table action_moves (
    id bigint generated always as identity primary key,
    action text not null references actions,
    from_state text not null,
    to_state text not null,
    event text not null,
    at timestamptz not null,
    reason text not null default ''
);
create index action_moves_by_action on action_moves (action, id);
