-- Claim the ids that nobody has claimed; sorted, so that two writers cannot wait for each other.
insert into fact_ids (id, sha256, started_at)
select id, sha256, started_at
from unnest(%(ids)s::text[], %(sha256)s::bytea[], %(started_at)s::timestamptz[])
    as told (id, sha256, started_at)
order by id
on conflict (id) do nothing
returning id;
