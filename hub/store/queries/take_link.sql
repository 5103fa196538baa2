-- Of two that come with one link, one finds a row.
update welcome_links set used_at = now()
where token_sha256 = %(token_sha256)s and used_at is null and ends_at > now()
returning person;
