-- No row comes back when it says what is there already.
insert into receptions (shop, id, at, undone) values (%(shop)s, %(id)s, %(at)s, %(undone)s)
on conflict (shop, id) do update set at = excluded.at, undone = excluded.undone
    where (receptions.at, receptions.undone) is distinct from (excluded.at, excluded.undone)
returning id;
