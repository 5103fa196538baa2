-- Of each photo, how probably each planned position is right (JSON by position; null: out of view),
-- and whether it shows the shelf as it stood when it came: usable, and no earlier photo again.
alter table photos add column rights text;
alter table photos add column counts integer not null default 0;
create index photos_by_bay on photos (bay, received_at);

-- What was told of rounds, each once: KEY is a round and when it opened, or what a number is of.
create table rounds_told (
  key text primary key,
  said text not null,
  at text not null
) without rowid;
