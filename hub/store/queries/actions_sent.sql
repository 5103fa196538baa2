update actions
set last_sent_at = %(at)s,
    withdrawal_sent_at = case when id = any(%(withdrawn)s) then %(at)s else withdrawal_sent_at end
where id = any(%(ids)s);
