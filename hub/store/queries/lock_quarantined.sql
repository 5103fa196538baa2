-- Those of some refused messages that are still there and that nobody else is trying.
select id from quarantine
where id = any(%(ids)s) and tried_by is distinct from %(version)s for update skip locked;
