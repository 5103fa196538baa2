-- To one node that has just spoken: what it does not keep yet. Else to all that are there: what is
-- new, and what was sent some time ago without a receipt since.
select node_path, chain, shop, node, config_revision
from nodes
where online and config_told < config_revision
  and case when %(node_path)s::text is null
      then config_sent < config_revision or config_sent_at <= %(sent_before)s
      else node_path = %(node_path)s end
order by config_sent_at nulls first, node_path
limit %(limit)s;
