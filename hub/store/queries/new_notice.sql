insert into notices (person, kind, key, title, body, made_at, next_try_at)
values (%(person)s, %(kind)s, %(key)s, %(title)s, %(body)s, %(made_at)s, %(next_try_at)s)
on conflict do nothing
returning id;
