insert into person_regions (person, region)
select %(person)s, region from unnest(%(regions)s::text[]) as region on conflict do nothing;
