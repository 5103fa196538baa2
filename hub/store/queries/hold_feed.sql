-- Held until the transaction ends: one at a time takes rows of a feed.
select name, kind, place, options, secret, every_s from feeds
where name = %(name)s and ended_at is null
for update;
