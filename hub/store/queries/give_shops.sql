insert into person_shops (person, shop)
select %(person)s, shop from unnest(%(shops)s::text[]) as shop on conflict do nothing;
