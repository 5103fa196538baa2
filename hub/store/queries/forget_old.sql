-- Where and when somebody signed in is nobody's affair for ever.
delete from sign_in_tries where last_at < now() - interval '1 day';
delete from sessions where made_at < now() - interval '60 days';
delete from welcome_links where ends_at < now() - interval '60 days';
