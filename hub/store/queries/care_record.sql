select at, consent, shop, what, detail from storepulse_care.record
where %(consents)s::uuid[] is null or consent = any(%(consents)s::uuid[])
order by id;
