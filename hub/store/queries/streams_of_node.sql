-- The newest lives of a node's outbox, newest first.
select epoch, through from streams
where node_path = %(node_path)s
order by stream desc
limit %(limit)s;
