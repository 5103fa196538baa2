-- A clerk's last word on each item of a checklist, with the item. What a page ticked by itself after
-- an after photo is none.
select distinct on (e.shop, c.id, item ->> 'id')
    e.body ->> 'state' as state, coalesce(e.body ->> 'reason', '') as reason, e.at,
    c.shop, c.bay, c.photo, c.planogram, c.planogram_version::int as planogram_version,
    coalesce(c.body ->> 'model', '') as model, coalesce(c.body ->> 'method', '') as method, item
from events e
join checklists c on c.id = e.body ->> 'checklist' and c.shop = e.shop
cross join lateral jsonb_array_elements(c.body -> 'items') as item
where e.kind = 'storepulse.item.marked.v1' and e.at >= %(since)s
  and coalesce(e.body ->> 'by', 'clerk') = 'clerk'
  and coalesce(e.body ->> 'reason', '') <> 'after_photo'
  and item ->> 'id' = e.body ->> 'item'
order by e.shop, c.id, item ->> 'id', e.at desc, e.number desc;
