update actions set delivered_at = %(at)s where id = %(id)s and delivered_at is null;
