-- Phones that are paired with this node, and the codes by which they come in. Of a code and of a
-- phone's token only the checksum is kept: the file shows nobody how to come in.

-- Used codes stay for a day, so that a repeat is known as one.
create table pairing_codes (
  sha256 text primary key,
  made_by text not null check (made_by in ('node', 'hub')),
  ends_at text not null,
  boot text not null,           -- when this node learned of it, by a clock that nobody sets
  monotonic_s real not null,
  used_at text,
  used_uuid text,               -- of the request, made by the phone
  phone text
);

create table phones (
  phone text primary key,
  token_sha256 text not null unique,
  name text not null,
  paired_at text not null,
  ended_at text
);

-- Where this node served phones when it last started: for a command that prints the address.
create table serving (
  id integer primary key check (id = 1),
  url text not null
);

alter table config add column revision integer not null default 0;
