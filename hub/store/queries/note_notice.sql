update notices
set sent_at = %(sent_at)s, gave_up_at = %(gave_up_at)s, last_error = %(error)s, tries = %(tries)s,
    next_try_at = coalesce(%(next_try_at)s::timestamptz, next_try_at)
where id = %(id)s;
