-- The versions with the shops in which they hold, and how many of their nodes have them.
select v.version, v.name, v.starts_on, v.published_at, v.positions, p.shop, p.bays,
       (select count(*) from plan_holders h where h.shop = p.shop)::int as nodes,
       (select count(*) from plan_holders h
        where h.shop = p.shop and h.plans ? (v.planogram || '@' || v.version))::int as nodes_told
from plan_versions v
join (
    select planogram, version, shop, array_agg(bay order by bay) as bays
    from plan_places group by planogram, version, shop
) p on p.planogram = v.planogram and p.version = v.version
where v.planogram = %(planogram)s
order by v.version desc, p.shop;
