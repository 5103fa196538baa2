-- What became of the pictures of a photo at the hub. What has no row here is still to be sent.
create table pictures (
  photo text not null references photos (uuid),
  name text not null,
  sha256 text,                     -- of what the hub acknowledged
  at text not null,
  refused text not null default '', -- why the hub will never take it; it is not sent again
  primary key (photo, name)
) without rowid;
