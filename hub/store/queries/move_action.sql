-- Compare and set: no row comes back when somebody was first.
update actions set state = %(to)s
where id = %(id)s and state = %(from)s
returning id;
