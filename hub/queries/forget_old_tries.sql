delete from sign_in_tries where last_at < now() - interval '1 day';
