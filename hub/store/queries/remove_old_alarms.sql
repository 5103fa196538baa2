delete from alarms where id in (
    select id from alarms where raised_at < %(before)s order by id limit %(limit)s
);
