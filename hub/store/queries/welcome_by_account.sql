-- A password that nothing fits: this person comes in by the account of elsewhere.
update people set password = coalesce(password, '-')
where id = %(person)s and ended_at is null
returning id;
