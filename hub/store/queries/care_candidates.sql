-- Experiences whose customer agreed and that have no message yet. Only a deal that names the ticket
-- is a deal of the experience.
select c.id as consent, e.shop, shops.name as shop_name, shops.timezone, e.ticket, e.begun_at,
       array(select made_at from deals
             where deals.shop = e.shop and deals.ticket = e.ticket and not deals.undone) as deals
from storepulse_care.consents as c
join experiences as e on e.shop = c.shop and e.ticket = c.ticket and not e.undone
join shops on shops.shop = e.shop
where c.withdrawn_at is null
  and e.begun_at between %(now)s::timestamptz - interval '15 days'
                     and %(now)s::timestamptz - interval '72 hours'
  and not exists (select from storepulse_care.messages as m
                  where m.shop = c.shop and m.ticket = c.ticket)
order by e.begun_at, e.shop, e.ticket
limit 500;
