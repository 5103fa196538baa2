update people set role = %(role)s where id = %(person)s and ended_at is null;
