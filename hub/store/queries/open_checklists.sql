-- The checklists of these shops made in since..until that have open items, newest first.
select c.shop, c.id, c.bay, c.photo, count(*) as open_items
from checklists c
join checklist_items i on i.shop = c.shop and i.checklist = c.id
where c.made_at >= %(since)s and c.made_at < %(until)s and c.shop = any(%(shops)s)
  and i.state in ('open', 'reopened')
group by c.shop, c.id, c.bay, c.photo, c.made_at, c.body
-- A photo's list of wrong prices after its list of places, which is made at the same moment.
order by c.shop, c.made_at desc, coalesce(c.body ->> 'method', '') = 'planograms.prices/1', c.id;
