delete from sign_in_tries where who = %(who)s;
