update plan_photos
set state = %(state)s, reason = %(reason)s, reason_zh = %(reason_zh)s, ended_at = %(now)s,
    photo = case when %(state)s = 'waiting' then photo end
where id = %(id)s and state = 'looking';
