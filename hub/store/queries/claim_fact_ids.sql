-- Claim the ids that nobody has claimed; sorted, so that two writers cannot wait for each other, in
-- the order of `copy_fact_ids`. Returns those that somebody had.
with claimed as (
    insert into fact_ids (id, sha256, started_at)
    select id, sha256, started_at from staged order by id collate "C"
    on conflict (id) do nothing
    returning id
)
select place from staged where not exists (select from claimed where claimed.id = staged.id);
