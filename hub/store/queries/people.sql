-- Everybody, also who has ended; those who may sign in first, by name.
select people.id, people.name, people.role, people.welcomed, people.made_at, people.ended_at,
       array(select region from person_regions
             where person_regions.person = people.id order by region) as regions,
       array(select shop from person_shops
             where person_shops.person = people.id order by shop) as shops
from people
where (%(id)s::uuid is null or people.id = %(id)s)
  and (%(name_key)s::text is null or (people.name_key = %(name_key)s and people.ended_at is null))
order by people.ended_at is not null, people.name_key, people.id;
