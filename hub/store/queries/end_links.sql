update welcome_links set ends_at = now()
where person = %(person)s and used_at is null and ends_at > now();
