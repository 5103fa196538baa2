select extract(epoch from last_at - now())::float8
       + least(power(2, least(tries - %(free)s, 30)), %(wait_s_max)s) as wait_s
from sign_in_tries where who = %(who)s;
