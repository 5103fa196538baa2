-- Locked until the batch is committed: two workers cannot both find a key new.
select stream, epoch, through from streams
where node_path = %(node_path)s and epoch = any(%(epochs)s)
order by stream
for update;
