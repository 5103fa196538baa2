-- What became of each of these actions, oldest first.
select action, at, what, how, came_from, went_to, reason, by_whom
from action_steps where action = any(%(ids)s)
order by action, at, what <> 'moved', nth;
