update feeds set last_run_at = %(now)s,
    last_ok_at = case when %(reason)s = '' then %(now)s else last_ok_at end,
    failures = case when %(reason)s = '' then 0 else failures + 1 end,
    reason = %(reason)s, detail = %(detail)s,
    next_run_at = case
        when next_run_at is null then null
        when %(reason)s = '' then %(now)s + make_interval(secs => every_s)
        -- A minute, two, four, ... and no longer than between good runs, at most an hour.
        else %(now)s + make_interval(secs => least(60 * 2 ^ least(failures, 10), every_s, 3600))
    end
where name = %(name)s
returning next_run_at;
