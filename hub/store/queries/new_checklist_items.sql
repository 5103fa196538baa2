-- A mark that came before its checklist stays.
insert into checklist_items (shop, checklist, item, changed_at)
select %(shop)s, %(checklist)s, item, %(at)s from unnest(%(items)s::text[]) as item
on conflict do nothing;
