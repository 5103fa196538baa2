insert into experiences (shop, ticket, begun_at, undone)
values (%(shop)s, %(ticket)s, %(at)s,
        exists (select from undone_taps where shop = %(shop)s and tap = %(ticket)s))
on conflict do nothing;
