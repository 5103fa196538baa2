select became, next, first_day
from put_policy(%(version)s, %(name)s, %(starts_on)s, %(body)s, %(by)s);
