select id, kind, title, body, made_at, next_try_at, tries, sent_at, gave_up_at, last_error
from my_notices order by id desc limit 50;
