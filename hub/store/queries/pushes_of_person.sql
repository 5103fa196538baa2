select id, sealed from push_told where person = %(person)s order by made_at, id;
