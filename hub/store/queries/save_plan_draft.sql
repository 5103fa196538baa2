-- No row comes back when the draft is another one by now.
update plan_drafts
set revision = revision + 1, name = %(name)s, bay = %(bay)s, positions = %(positions)s,
    content = %(content)s, changed_at = now()
where planogram = %(planogram)s and revision = %(revision)s
returning revision;
