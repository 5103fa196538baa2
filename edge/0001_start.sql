-- The outbox: one row. `offered` is the highest number that may have left the node.
create table stream (
  id integer primary key check (id = 1),
  epoch text not null,
  last_number integer not null default 0,
  acknowledged integer not null default 0,
  offered integer not null default 0,
  bytes integer not null default 0
);

-- `through` is the number itself, or the last one that a tombstone covers.
create table messages (
  number integer primary key,
  through integer not null,
  type text not null,
  data text not null,
  bytes integer not null,
  said_at text not null,
  boot text not null,
  monotonic_s real not null,
  synchronised integer not null
);

-- Facts that a child or a file told: by their id each is said once, also after a restart.
create table told (
  place integer primary key autoincrement,
  fact text not null unique
);

create table actions (
  id text primary key,
  action text not null,
  received_at text not null,
  state text not null,
  receipt integer not null,
  receipt_at text not null
);

-- What the phone said about an action or an item, by the UUID that the phone made.
create table marks (
  uuid text primary key,
  about text not null
);

create table config (
  id integer primary key check (id = 1),
  payload text not null,
  received_at text not null
);

-- `status` and `answer` are null until the photo has its answer; then they never change.
create table photos (
  uuid text primary key,
  bay text not null,
  planogram text,
  sha256 text not null,
  received_at text not null,
  tries integer not null default 0,
  status integer,
  answer text
);

create table checklists (
  id text primary key,
  bay text not null,
  made_at text not null,
  checklist text not null
);

create table items (
  checklist text not null references checklists (id),
  item text not null,
  state text not null,
  reason text not null default '',
  at text not null,
  primary key (checklist, item)
) without rowid;

create table taps (
  uuid text primary key,
  kind text not null,
  ticket text,
  amount real,
  at text not null,
  undone_at text
);
create index taps_ticket on taps (ticket) where ticket is not null;
