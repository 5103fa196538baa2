-- Only as the owner are both shops of a pair there.
select experiment, shop, pair, acts from experiment_shops
where experiment = any(%(ids)s) order by experiment, pair, acts desc;
