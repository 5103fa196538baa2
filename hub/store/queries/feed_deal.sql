-- No row comes back when it says what is there already.
insert into deals (shop, id, ticket, made_at, amount, undone)
values (%(shop)s, %(id)s, %(ticket)s, %(at)s, %(amount)s, %(undone)s)
on conflict (shop, id) do update
    set ticket = excluded.ticket, made_at = excluded.made_at, amount = excluded.amount,
        undone = excluded.undone
    where (deals.ticket, deals.made_at, deals.amount, deals.undone)
        is distinct from (excluded.ticket, excluded.made_at, excluded.amount, excluded.undone)
returning id;
