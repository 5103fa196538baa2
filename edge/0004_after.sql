-- What a later photo is held against: the photo from afar, and when its camera says it was taken.
alter table photos add column signature blob;
alter table photos add column taken text;
