-- Locked until the batch is committed: two workers cannot both find a key new. In the order of their
-- numbers, so that neither waits for the other.
select stream, node_path, epoch, through from streams
where stream = any(array(
    select stream from streams
    join unnest(%(node_paths)s::text[], %(epochs)s::text[]) as asked (node_path, epoch)
        using (node_path, epoch)
))
order by stream
for update;
