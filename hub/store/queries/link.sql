-- A link that is good, and whom it is for; nobody: the first person of head office.
select people.id, people.name, people.role
from welcome_links left join people on people.id = welcome_links.person
where token_sha256 = %(token_sha256)s and used_at is null and ends_at > now()
  and people.ended_at is null;
