insert into streams (node_path, epoch)
select node_path, epoch from unnest(%(node_paths)s::text[], %(epochs)s::text[])
    as asked (node_path, epoch)
where not exists (
    select from streams
    where streams.node_path = asked.node_path and streams.epoch = asked.epoch
)
order by node_path, epoch
on conflict do nothing;
