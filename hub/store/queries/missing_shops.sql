-- Make the shops that a fact or a node named and no list has named yet.
insert into shops (shop)
select distinct named from unnest(%(shops)s::text[]) as named
order by named -- so that two writers cannot wait for each other
on conflict (shop) do nothing
returning shop;
