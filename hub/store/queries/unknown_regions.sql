select region from unnest(%(regions)s::text[]) as region
where region not in (select region from shops) order by region;
