select v.planogram, v.version, v.sha256, v.starts_on, array_agg(p.bay order by p.bay) as bays
from plan_versions v join plan_places p using (planogram, version)
where p.shop = %(shop)s
group by v.planogram, v.version, v.sha256, v.starts_on;
