-- Of a secret that node or phone made together with the ticket.
insert into storepulse_care.ticket_links (token_sha256, shop, ticket)
values (%(sha256)s, %(shop)s, %(ticket)s)
on conflict do nothing;
