update quarantine set tried_by = %(version)s where id = any(%(ids)s);
