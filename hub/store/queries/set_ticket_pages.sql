select set_ticket_pages(%(address)s);
