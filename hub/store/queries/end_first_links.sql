update welcome_links set ends_at = now()
where person is null and used_at is null and ends_at > now();
