insert into action_moves (action, from_state, to_state, event, at, reason)
values (%(id)s, %(from)s, %(to)s, %(event)s, %(at)s, %(reason)s);
