-- The checklists of these shops made in since..until that have open items, newest first.
select c.shop, c.id, c.bay, count(*) as open_items
from checklists c
join checklist_items i on i.shop = c.shop and i.checklist = c.id
where c.made_at >= %(since)s and c.made_at < %(until)s and c.shop = any(%(shops)s)
  and i.state in ('open', 'reopened')
group by c.shop, c.id, c.bay, c.made_at
order by c.shop, c.made_at desc, c.id;
