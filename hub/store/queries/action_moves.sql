select action, from_state, to_state, event, at, reason
from action_moves where action = %(action)s order by id;
