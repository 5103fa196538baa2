insert into events (stream, number, node_path, shop, kind, at, body, received_at)
values (%(stream)s, %(number)s, %(node_path)s, %(shop)s, %(kind)s, %(at)s, %(body)s,
        %(received_at)s);
