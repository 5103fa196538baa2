select * from feeds_told
where (%(name)s::text is null or name = %(name)s) and (ended_at is null or %(name)s is not null)
order by name;
