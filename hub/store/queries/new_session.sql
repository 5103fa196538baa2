-- Not for a person who ended, or got another password, since it was looked at.
insert into sessions (token_sha256, person, seen_from)
select %(token_sha256)s, id, %(seen_from)s from people
where id = %(person)s and ended_at is null and password = %(password)s
returning id;
