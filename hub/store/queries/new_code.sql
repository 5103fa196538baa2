insert into codes (shop, dimension, day, version, computed_at, policy_version, colour, probability,
                   value, low, high, rule, rule_zh, turns_green_at, turning, facts,
                   unit, turns_green_when, turns_green_when_zh, unknown_days)
values (%(shop)s, %(dimension)s, %(day)s, %(version)s, %(computed_at)s, %(policy_version)s,
        %(colour)s, %(probability)s, %(value)s, %(low)s, %(high)s, %(rule)s, %(rule_zh)s,
        %(turns_green_at)s, %(turning)s, %(facts)s, %(unit)s, %(turns_green_when)s,
        %(turns_green_when_zh)s, %(unknown_days)s);
