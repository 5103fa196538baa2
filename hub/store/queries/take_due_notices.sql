-- Moved on before it is sent: a second hub that looks now leaves it alone, and one that was killed
-- in between is tried again.
update notices set next_try_at = %(until)s
where id in (select id from notices
             where sent_at is null and gave_up_at is null and next_try_at <= %(now)s
             order by next_try_at, id limit 20 for update skip locked)
returning id, person, kind, key, title, body, tries;
