delete from person_regions where person = %(person)s;
