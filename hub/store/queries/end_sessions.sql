-- Of one person: one session, or all of them.
update sessions set ended_at = now()
where person = %(person)s and ended_at is null
  and (%(session)s::uuid is null or id = %(session)s)
returning id;
