-- Each planogram once: its draft where there is one, and its newest version.
select coalesce(d.planogram, v.planogram) as id, coalesce(d.name, v.name) as name,
       coalesce(d.bay, v.bay) as bay, coalesce(d.positions, v.positions) as positions,
       d.changed_at as draft, v.version, v.starts_on,
       (select count(distinct p.shop) from plan_places p
        where p.planogram = v.planogram and p.version = v.version)::int as shops
from plan_drafts d full join (
    select distinct on (planogram) planogram, version, name, bay, positions, starts_on
    from plan_versions order by planogram, version desc
) v on v.planogram = d.planogram
order by id;
