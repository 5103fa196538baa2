select id, planogram, state, reason from plan_photos where id = %(id)s;
