update people set password = %(password)s where id = %(person)s and ended_at is null returning id;
