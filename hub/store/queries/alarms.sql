select id, kind, node_path, detail, raised_at from alarms order by id desc limit %(limit)s;
