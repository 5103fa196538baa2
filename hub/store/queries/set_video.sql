insert into shop_videos (shop, address)
select shop, %(address)s from shops where shop = %(shop)s
on conflict (shop) do update set address = excluded.address
returning shop;
