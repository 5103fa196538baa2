insert into blobs (shop, photo, name, sha256, bytes, node_path, at)
values (%(shop)s, %(photo)s, %(name)s, %(sha256)s, %(bytes)s, %(node_path)s, %(now)s)
on conflict do nothing returning shop;
