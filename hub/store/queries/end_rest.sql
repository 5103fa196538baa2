update rests set ended_at = %(now)s
where shop = %(shop)s and id = %(id)s and ended_at is null
returning id;
