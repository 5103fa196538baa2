-- Ends a phone whose code let another one in before. One row: it did.
with second as (
    update phones set ended_at = %(received_at)s, ended_by = 'second use'
    where shop = %(shop)s and phone = %(phone)s and ended_at is null
      and exists (
          select from phones as first
          where first.shop = %(shop)s and first.code_sha256 = %(code_sha256)s
            and first.phone <> %(phone)s and first.ended_by is distinct from 'second use'
      )
    returning node_path
)
update nodes set config_revision = config_revision + 1
from second where nodes.node_path = second.node_path
returning nodes.node_path;
