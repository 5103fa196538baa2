insert into receptions (shop, id, at, undone)
values (%(shop)s, %(id)s, %(at)s,
        exists (select from undone_taps where shop = %(shop)s and tap = %(id)s))
on conflict do nothing;
