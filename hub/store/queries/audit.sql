-- The newest first; those before one, for the page after it.
select id, at, person, who, name, what, about, about_name, detail from audit_told
where (%(before)s::bigint is null or id < %(before)s)
  and (%(about)s::text is null or about = %(about)s)
order by id desc
limit %(limit)s;
