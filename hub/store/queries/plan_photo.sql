select id, planogram, state, reason, reason_zh from plan_photos where id = %(id)s;
