select address from ticket_pages;
