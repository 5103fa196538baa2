update actions set last_sent_at = %(at)s where id = any(%(ids)s);
