insert into streams (node_path, epoch)
select %(node_path)s, epoch from unnest(%(epochs)s::text[]) as epoch order by epoch
on conflict do nothing;
