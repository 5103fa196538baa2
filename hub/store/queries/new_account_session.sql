-- Not for a person who ended since the account was looked at.
insert into sessions (token_sha256, person, seen_from)
select %(token_sha256)s, id, %(seen_from)s from people
where id = %(person)s and ended_at is null
returning id;
