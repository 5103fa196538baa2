insert into storepulse_care.record (at, consent, shop, what, detail)
values (%(at)s, %(consent)s, %(shop)s, %(what)s, %(detail)s);
