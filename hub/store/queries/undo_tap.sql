-- Kept also for a tap that has not arrived yet.
with kept as (
    insert into undone_taps (shop, tap, at) values (%(shop)s, %(tap)s, %(at)s)
    on conflict do nothing
), in_receptions as (
    update receptions set undone = true where shop = %(shop)s and id = %(tap)s
), in_experiences as (
    update experiences set undone = true where shop = %(shop)s and ticket = %(tap)s
)
update deals set undone = true where shop = %(shop)s and id = %(tap)s;
