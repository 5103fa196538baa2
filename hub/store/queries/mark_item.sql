-- The newest mark wins, in whatever order they arrive.
insert into checklist_items (shop, checklist, item, state, reason, changed_at)
values (%(shop)s, %(checklist)s, %(item)s, %(state)s, %(reason)s, %(at)s)
on conflict (shop, checklist, item) do update set
    state = excluded.state, reason = excluded.reason, changed_at = excluded.changed_at
where checklist_items.changed_at <= excluded.changed_at or checklist_items.state = 'open';
