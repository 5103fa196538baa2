select distinct on (shop, dimension, day)
       shop, dimension, day, version, computed_at, policy_version, colour, probability, value, low,
       high, rule, rule_zh, turns_green_at, turning, facts, unit, turns_green_when,
       turns_green_when_zh, unknown_days
from codes
where day between %(first)s and %(last)s
  and (%(shops)s::text[] is null or shop = any(%(shops)s))
order by shop, dimension, day, version desc;
