-- Kept figures of one shop's days, oldest first.
select metric, day, value, n, coverage, hours, ended_at, facts, doubt, removed
from day_figures
where shop = %(shop)s and metric = any(%(metrics)s) and day between %(first)s and %(last)s
order by day, metric;
