-- Also of a phone that was not heard of yet.
insert into phones as known (shop, phone, node_path, ended_at, ended_by)
values (%(shop)s, %(phone)s, %(node_path)s, %(at)s, 'node')
on conflict (shop, phone) do update
set ended_at = coalesce(known.ended_at, excluded.ended_at),
    ended_by = coalesce(known.ended_by, excluded.ended_by)
where known.node_path = excluded.node_path
returning phone;
