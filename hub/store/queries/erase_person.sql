update people set name = %(name)s, name_key = %(name)s, password = null, erased_at = now()
where id = %(person)s;
