-- What was pushed to these shops and is open, or was over since a moment.
select shop, kind, dimension, coalesce(body -> 'dims' ->> 'bay', '') as bay, role, created_at,
       over_at
from (
    select actions.*,
           case when state in ('done', 'cannot_do', 'confirmed', 'withdrawn') then
               coalesce((select min(at) from action_moves as moves
                         where moves.action = actions.id
                           and moves.to_state in ('done', 'cannot_do', 'withdrawn')
                           and moves.id > coalesce(
                               (select max(back.id) from action_moves as back
                                where back.action = actions.id
                                  and back.to_state not in
                                      ('done', 'cannot_do', 'confirmed', 'withdrawn')), 0)),
                        created_at)
           end as over_at
    from actions
    where shop = any(%(shops)s)
      and (state in ('pushed', 'delivered', 'seen', 'overdue') or created_at >= %(since)s)
) as known
where over_at is null or over_at >= %(since)s
order by created_at, id;
