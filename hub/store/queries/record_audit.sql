select record_audit(%(person)s::uuid, %(who)s, %(what)s, %(about)s, %(detail)s);
