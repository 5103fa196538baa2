select choose_notices(%(sealed)s, %(services)s::text[], %(kinds)s::text[], %(quiet_from)s::time,
    %(quiet_until)s::time, %(digest_at)s::time, %(timezone)s, %(language)s) as done;
