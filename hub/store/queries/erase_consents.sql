delete from storepulse_care.consents where id = any(%(consents)s::uuid[]) returning id;
