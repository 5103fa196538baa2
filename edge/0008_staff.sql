-- Names of staff, for figures that are one person's. They stay on this node: no event carries one.
create table staff (
  person text primary key,
  name text not null unique,
  salt blob not null,
  pin blob not null,            -- slowly hashed (scrypt)
  added_at text not null,
  wrong integer not null default 0,  -- wrong PINs since the last right one
  locked_until text
);

-- Which name was picked on which phone, from when to when.
create table staff_turns (
  phone text not null,
  person text not null references staff (person) on delete cascade,
  began_at text not null,
  ends_at text not null,
  primary key (phone, began_at)
) without rowid;

-- Forgotten with the person.
alter table taps add column person text references staff (person) on delete set null;
create index taps_person on taps (person, at) where person is not null;
