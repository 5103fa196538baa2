-- No row comes back when somebody has the name.
insert into people (name, name_key, role) values (%(name)s, %(name_key)s, %(role)s)
on conflict do nothing
returning id;
