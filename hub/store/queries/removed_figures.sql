select metric, day, removed from day_figures
where shop = %(shop)s and day = any(%(days)s) and removed is not null;
