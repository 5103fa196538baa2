select extract(epoch from last_at - now())::float8
       + least(power(2, least(tries, 30) - %(free)s), %(wait_s_max)s) as wait_s
from sign_in_tries where who = %(who)s;
