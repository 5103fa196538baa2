select name from feeds where next_run_at <= %(now)s and ended_at is null order by next_run_at;
