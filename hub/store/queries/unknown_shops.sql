select shop from unnest(%(shops)s::text[]) as shop
where shop not in (select shop from shops) order by shop;
