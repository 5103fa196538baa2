-- When each of these actions came into the state it has.
select action, max(at) as at from action_moves where action = any(%(ids)s) group by action;
