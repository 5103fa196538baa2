select c.sealed, c.kinds, c.quiet_from, c.quiet_until, c.digest_at, c.timezone, c.language
from notice_choices as c join people on people.id = c.person
where c.person = %(person)s and people.ended_at is null;
