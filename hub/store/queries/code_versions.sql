-- Every version of one shop's codes of these days, oldest first: what a correction took the place of.
select dimension, day, version, computed_at, policy_version, colour, probability, value, turning
from codes
where shop = %(shop)s and day between %(first)s and %(last)s
order by dimension, day, version;
