insert into codes (shop, dimension, day, version, computed_at, policy_version, colour, probability,
                   value, low, high, rule, turns_green_at, turning, facts)
values (%(shop)s, %(dimension)s, %(day)s, %(version)s, %(computed_at)s, %(policy_version)s,
        %(colour)s, %(probability)s, %(value)s, %(low)s, %(high)s, %(rule)s, %(turns_green_at)s,
        %(turning)s, %(facts)s);
