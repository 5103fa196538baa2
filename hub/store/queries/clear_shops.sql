delete from person_shops where person = %(person)s;
