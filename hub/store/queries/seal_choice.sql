update notice_choices set sealed = %(sealed)s where person = %(person)s;
