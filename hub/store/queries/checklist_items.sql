select item, state, reason, changed_at from checklist_items
where shop = %(shop)s and checklist = %(checklist)s
order by item;
