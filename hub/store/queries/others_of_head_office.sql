-- Who of head office can sign in, beside one.
select count(*) as others from people
where role = 'head_office' and ended_at is null and welcomed
  and (%(beside)s::uuid is null or id <> %(beside)s);
