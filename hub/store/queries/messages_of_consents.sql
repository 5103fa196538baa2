select shop, ticket, coupon, made_at, tries, sent_at, gave_up_at
from storepulse_care.messages where consent = any(%(consents)s::uuid[]) order by made_at;
