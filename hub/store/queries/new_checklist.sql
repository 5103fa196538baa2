-- No row comes back when the id is taken: said again, or another shop's.
insert into checklists (id, shop, node_path, bay, photo, planogram, planogram_version, made_at, body)
values (%(id)s, %(shop)s, %(node_path)s, %(bay)s, %(photo)s, %(planogram)s, %(planogram_version)s,
        %(made_at)s, %(body)s)
on conflict (id) do nothing
returning id;
