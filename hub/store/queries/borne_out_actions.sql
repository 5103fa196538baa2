-- Done actions without a checklist that a later code bears out: green again, or known again where it
-- was the evidence that was missing. Two days later, for a figure may stand for two days.
select a.id, min(c.day) as day
from actions as a
join shops on shops.shop = a.shop
join lateral (
    select max(at) as at from action_moves as moves
    where moves.action = a.id and moves.to_state = 'done'
) as done on true
join lateral (
    select distinct on (day) day, colour from codes
    where codes.shop = a.shop and codes.dimension = a.dimension
      and codes.day >= (done.at at time zone shops.timezone)::date + 2
    order by day, version desc
) as c on c.colour = 'green' or (a.kind = 'evidence_missing' and c.colour <> 'unknown')
where a.state = 'done' and a.body ->> 'checklist' is null and a.created_at >= %(since)s
group by a.id
order by a.id;
