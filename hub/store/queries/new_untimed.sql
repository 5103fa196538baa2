insert into facts_untimed (stream, number, node_path, boot, monotonic_s, said_at, kind, fact,
                           received_at)
values (%(stream)s, %(number)s, %(node_path)s, %(boot)s, %(monotonic_s)s, %(said_at)s, %(kind)s,
        %(fact)s, %(received_at)s);
