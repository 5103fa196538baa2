select id, feed, said, reason, detail, first_at, last_at, tries from feed_aside
where feed = %(feed)s and (%(id)s::bigint is null or id = %(id)s)
  and id > %(after)s
order by id
limit %(limit)s;
