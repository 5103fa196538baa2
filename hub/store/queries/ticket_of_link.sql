select e.shop, shops.name as shop_name, e.ticket, e.begun_at, c.given_at as agreed_at
from storepulse_care.ticket_links as link
join experiences as e on e.shop = link.shop and e.ticket = link.ticket and not e.undone
join shops on shops.shop = e.shop
left join storepulse_care.consents as c
    on c.shop = e.shop and c.ticket = e.ticket and c.withdrawn_at is null
-- Whoever agreed can withdraw as long as there is something to withdraw.
where link.token_sha256 = %(sha256)s and (e.begun_at >= %(since)s or c.id is not null);
