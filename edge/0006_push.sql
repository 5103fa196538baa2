
-- Phones that show what is new while their page is closed: how each is reached at its push service.
create table pushes (
  phone text primary key,
  endpoint text not null,
  p256dh text not null,
  auth text not null,
  language text not null,
  since text not null
);

-- Which phone was told of which action, so that each is told once.
create table push_told (
  phone text not null,
  action text not null,
  at text not null,
  primary key (phone, action)
) without rowid;
