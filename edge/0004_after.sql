-- What a later photo is held against: the photo from afar, and when its camera says it was taken.
alter table photos add column signature blob;
alter table photos add column taken text;

-- What a clerk said will right itself: of this product nothing is asked at this bay up to that day.
create table rests (
  bay text not null,
  sku text not null,
  reason text not null,
  until text not null,              -- the last day, in the shop's own calendar
  at text not null,
  primary key (bay, sku)
) without rowid;
