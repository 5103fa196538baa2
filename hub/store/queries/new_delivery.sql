-- No row comes back when it was seen before.
insert into feed_deliveries (feed, id, at) values (%(feed)s, %(id)s, %(now)s)
on conflict do nothing
returning id;
