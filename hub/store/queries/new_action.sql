-- An action whose checklist a node made goes to that node.
insert into actions (id, shop, kind, dimension, day, subject, body, state, created_at, due_at,
                     node_path)
values (%(id)s, %(shop)s, %(kind)s, %(dimension)s, %(day)s, %(subject)s, %(body)s, 'pushed',
        %(created_at)s, %(due_at)s,
        coalesce(%(node_path)s::text,
                 (select node_path from checklists
                  where id = %(checklist)s::text and shop = %(shop)s)))
on conflict do nothing
returning id;
