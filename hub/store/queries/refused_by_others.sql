-- What another version of the hub refused, oldest first.
select id, node_path, raw, received_at from quarantine
where id > %(after)s and id <= %(through)s and tried_by is distinct from %(version)s
order by id limit %(limit)s;
