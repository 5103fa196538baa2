delete from quarantine where id = any(%(ids)s);
