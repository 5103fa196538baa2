-- The newest version of one shop's codes of one day.
select distinct on (dimension)
       shop, dimension, day, version, computed_at, policy_version, colour, probability, value, low,
       high, rule, rule_zh, turns_green_at, turning, facts, unit, turns_green_when,
       turns_green_when_zh, unknown_days
from codes
where shop = %(shop)s and day = %(day)s
  and dimension in ('people', 'goods', 'place', 'conversion')
order by dimension, version desc;
