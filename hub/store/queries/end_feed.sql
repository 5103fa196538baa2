update feeds set ended_at = now(), next_run_at = null, secret = null
where name = %(name)s and ended_at is null
returning name;
