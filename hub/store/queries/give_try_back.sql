update sign_in_tries set tries = tries - 1 where who = %(who)s and tries > 0;
