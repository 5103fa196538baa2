with taken as (
    update storepulse_care.messages as m set next_try_at = %(until)s
    where (m.shop, m.ticket) in (
        select shop, ticket from storepulse_care.messages
        where sent_at is null and gave_up_at is null and next_try_at <= %(now)s
        order by next_try_at, shop, ticket limit 20 for update skip locked)
    returning m.shop, m.ticket, m.coupon, m.tries, m.consent
)
select taken.shop, shops.name as shop_name, shops.timezone, taken.ticket, taken.coupon, taken.tries,
       taken.consent, c.sealed, c.out_sealed, c.language, e.begun_at,
       array(select made_at from deals
             where deals.shop = e.shop and deals.ticket = e.ticket and not deals.undone) as deals
from taken
join shops on shops.shop = taken.shop
join experiences as e on e.shop = taken.shop and e.ticket = taken.ticket
left join storepulse_care.consents as c on c.id = taken.consent and c.withdrawn_at is null;
