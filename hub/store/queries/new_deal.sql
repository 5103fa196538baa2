insert into deals (shop, id, ticket, made_at, amount, undone)
values (%(shop)s, %(id)s, %(ticket)s, %(at)s, %(amount)s,
        exists (select from undone_taps where shop = %(shop)s and tap = %(id)s))
on conflict do nothing;
