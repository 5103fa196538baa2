select services, kinds, quiet_from, quiet_until, digest_at, timezone, language
from my_notice_choice;
