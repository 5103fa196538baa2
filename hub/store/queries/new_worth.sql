insert into trial_worths
    (kind, subject, dimension, against, effect, low, high, trials, expected, told_at)
values (%(kind)s, %(subject)s, %(dimension)s, %(against)s, %(effect)s, %(low)s, %(high)s, %(trials)s,
        %(expected)s, %(at)s);
