select id, password from people where name_key = %(name_key)s and ended_at is null;
