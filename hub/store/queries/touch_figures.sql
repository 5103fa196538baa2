insert into touched_figures (shop, day) values (%(shop)s, %(day)s);
