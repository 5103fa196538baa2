insert into storepulse_care.messages (shop, ticket, consent, coupon, made_at, next_try_at)
values (%(shop)s, %(ticket)s, %(consent)s, %(coupon)s, %(at)s, %(next_try_at)s)
on conflict do nothing
returning ticket;
