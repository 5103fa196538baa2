-- Whoever may sign in and wants to hear this, with the shops of their regions and those named.
select c.person, people.role, c.sealed, c.kinds, c.quiet_from, c.quiet_until, c.digest_at,
       c.timezone, c.language,
       array(select shop from person_shops where person_shops.person = c.person
             union
             select shops.shop from shops join person_regions as r on r.region = shops.region
             where r.person = c.person) as shops
from notice_choices as c join people on people.id = c.person
where people.ended_at is null and %(kind)s = any(c.kinds)
  and people.role in ('clerk', 'region', 'head_office')
order by c.person;
