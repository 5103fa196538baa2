select id, shop, ticket, sealed, language, text_version, given_at, withdrawn_at
from storepulse_care.consents where lookup = any(%(lookups)s) order by given_at, id;
