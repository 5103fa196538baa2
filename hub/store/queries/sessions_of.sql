-- A person's sessions that are good, the last used first.
select id, made_at, last_used_at, seen_from from sessions
where person = %(person)s and ended_at is null
  and made_at > now() - interval '30 days' and last_used_at > now() - interval '12 hours'
order by last_used_at desc, id;
