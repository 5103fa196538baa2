insert into alarms (kind, node_path, detail, raised_at)
values (%(kind)s, %(node_path)s, %(detail)s, %(at)s)
returning id;
