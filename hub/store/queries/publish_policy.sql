-- As the session that asks: the database finds who it is, and whether it may.
select became, next, first_day from publish_policy(%(body)s);
