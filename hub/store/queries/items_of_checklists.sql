-- How the items of these checklists stand, each beside the shop whose it is.
select items.shop, items.checklist, item, state, changed_at
from unnest(%(shops)s::text[], %(checklists)s::text[]) as asked (shop, checklist)
join checklist_items as items on items.shop = asked.shop and items.checklist = asked.checklist;
