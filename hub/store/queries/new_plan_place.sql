insert into plan_places (planogram, version, shop, bay)
values (%(planogram)s, %(version)s, %(shop)s, %(bay)s);
