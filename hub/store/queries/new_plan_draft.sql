-- No row comes back when there is a draft already.
insert into plan_drafts (planogram, name, bay, positions, content)
values (%(planogram)s, %(name)s, %(bay)s, %(positions)s, %(content)s)
on conflict do nothing
returning revision;
