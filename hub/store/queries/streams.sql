-- How far each node's streams are stored, and how much of them.
select s.node_path, s.epoch, s.through,
       (select count(*) from messages m where m.stream = s.stream) as messages,
       (select count(*) from quarantine q
        where q.node_path = s.node_path and q.epoch = s.epoch) as quarantined
from streams s
order by s.node_path, s.stream
limit %(limit)s;
