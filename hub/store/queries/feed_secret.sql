select secret from feeds where name = %(name)s and ended_at is null;
