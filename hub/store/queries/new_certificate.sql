insert into node_certificates (serial, node_path, chain, shop, node, given_for, issued_at, ends_at,
                               server_names)
values (%(serial)s, %(node_path)s, %(chain)s, %(shop)s, %(node)s, %(given_for)s, %(now)s,
        %(ends_at)s, %(server_names)s);
