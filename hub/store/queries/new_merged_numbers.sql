insert into merged_numbers (stream, first, last) values (%(stream)s, %(first)s, %(last)s)
on conflict do nothing;
