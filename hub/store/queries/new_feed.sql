-- No row comes back when the name is taken.
insert into feeds (name, kind, place, options, secret, every_s, next_run_at)
values (%(name)s, %(kind)s, %(place)s, %(options)s, %(secret)s, %(every_s)s, %(next_run_at)s)
on conflict do nothing
returning name;
