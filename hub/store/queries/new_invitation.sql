insert into node_invitations (secret_sha256, node_path, chain, shop, node, made_at, ends_at)
values (%(secret_sha256)s, %(node_path)s, %(chain)s, %(shop)s, %(node)s, %(now)s, %(ends_at)s);
