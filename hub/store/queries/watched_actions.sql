-- Open actions that have not gone up yet, with what tells silence.
select a.id, a.shop, shops.timezone, a.role, a.state, a.created_at, a.due_at,
       (select min(at) from action_moves as moves
        where moves.action = a.id and moves.to_state = 'seen') as seen_at
from actions as a join shops on shops.shop = a.shop
where a.state in ('pushed', 'delivered', 'seen', 'overdue') and a.created_at >= %(since)s
  and a.role <> 'head_office'
  and not exists (select from action_turns as turns
                  where turns.action = a.id and turns.turn = 'escalated')
order by a.created_at, a.id;
