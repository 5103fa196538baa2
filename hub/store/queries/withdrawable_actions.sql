-- Open actions with the newest word of the code that called for them, and how their trial stands.
select a.id, a.kind, a.state, a.day, a.due_at, newest.day as code_day, newest.colour,
       experiments.state as trial_state, experiments.ends_on as trial_ends_on,
       (%(now)s::timestamptz at time zone shops.timezone)::date as today
from actions as a
join shops on shops.shop = a.shop
left join lateral (
    select day, colour from codes
    where codes.shop = a.shop and codes.dimension = a.dimension and codes.day >= a.day
    order by day desc, version desc limit 1
) as newest on true
left join experiments on experiments.id = a.body -> 'dims' ->> 'trial'
where a.state in ('pushed', 'delivered', 'seen', 'overdue')
order by a.created_at, a.id;
