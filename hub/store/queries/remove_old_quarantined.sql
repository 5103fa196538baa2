delete from quarantine where id in (
    select id from quarantine where received_at < %(before)s order by id limit %(limit)s
);
