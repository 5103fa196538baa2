-- The newest first; those before one, for the page after it.
select id, at, person, who, name, what, about, about_name, detail from audit_told
where (%(before)s::bigint is null or id < %(before)s)
  and (%(about)s::text is null or about = %(about)s)
  and (%(what)s::text is null or what = %(what)s)
  and (%(person)s::uuid is null or person = %(person)s)
  and (%(first)s::date is null or at >= %(first)s::date::timestamp at time zone 'UTC')
  and (%(last)s::date is null or at < (%(last)s::date + 1)::timestamp at time zone 'UTC')
order by id desc
limit %(limit)s;
