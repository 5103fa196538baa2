update people set ended_at = now() where id = %(person)s and ended_at is null returning id;
