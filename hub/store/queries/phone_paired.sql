-- An older message (a token that was lost) and one of another node change nothing; ended stays ended.
insert into phones as known
    (shop, phone, node_path, name, token_sha256, code_sha256, paired_at, said_at)
values (%(shop)s, %(phone)s, %(node_path)s, %(name)s, %(token_sha256)s, %(code_sha256)s, %(at)s,
        %(at)s)
on conflict (shop, phone) do update
set name = case when known.said_at > excluded.said_at then known.name else excluded.name end,
    token_sha256 = case when known.said_at > excluded.said_at
        then known.token_sha256 else excluded.token_sha256 end,
    code_sha256 = excluded.code_sha256,
    paired_at = least(known.paired_at, excluded.paired_at),
    said_at = greatest(known.said_at, excluded.said_at)
where known.node_path = excluded.node_path
returning phone;
