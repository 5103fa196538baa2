-- The shop's other nodes are told, so that none takes the code again.
with used as (
    update pairing_codes set used_at = %(at)s
    where sha256 = %(code_sha256)s and shop = %(shop)s and used_at is null
    returning shop
)
update nodes set config_revision = config_revision + 1 from used where nodes.shop = used.shop;
