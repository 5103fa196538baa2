-- All of them, not only those of since: a node whose card went back to an older copy has forgotten.
select phone from phones
where node_path = %(node_path)s and ended_at is not null
  and coalesce(paired_at, ended_at) > %(paired_since)s
order by ended_at, phone;
