select new_ticket_link(%(shop)s, %(ticket)s, %(sha256)s) as done;
