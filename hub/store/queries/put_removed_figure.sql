insert into day_figures (shop, metric, day, value, low, high, n, coverage, hours, ended_at, facts,
                         doubt, removed, computed_at)
values (%(shop)s, %(metric)s, %(day)s, %(value)s, %(low)s, %(high)s, %(n)s, %(coverage)s, %(hours)s,
        %(ended_at)s, %(facts)s, %(doubt)s, %(removed)s, %(at)s)
on conflict (shop, metric, day) do update
set value = excluded.value, low = excluded.low, high = excluded.high, n = excluded.n,
    coverage = excluded.coverage, hours = excluded.hours, ended_at = excluded.ended_at,
    facts = excluded.facts, doubt = excluded.doubt, removed = excluded.removed,
    computed_at = excluded.computed_at;
