-- One photo for one worker; what a worker that died left over comes again.
update plan_photos
set state = 'looking', began_at = %(now)s, tries = tries + 1
where id = (
    select id from plan_photos
    where state = 'waiting' or (state = 'looking' and began_at < %(died_before)s)
    order by asked_at limit 1 for update skip locked
)
returning id, planogram, name, bay, photo, tries;
