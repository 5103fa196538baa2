-- One line of a list of shops; says whether it is new.
insert into shops (shop, name, region, format, latitude, longitude, timezone, assigned, simulated)
values (%(shop)s, %(name)s, %(region)s, %(format)s, %(latitude)s, %(longitude)s, %(timezone)s, true,
        %(simulated)s)
on conflict (shop) do update set
    name = excluded.name, region = excluded.region, format = excluded.format,
    latitude = excluded.latitude, longitude = excluded.longitude,
    timezone = excluded.timezone, assigned = true, simulated = excluded.simulated
returning xmax = 0 as is_new;
