-- No row comes back when it has gone up before.
insert into action_turns (action, turn, at, from_role, to_role, reason)
values (%(action)s, 'escalated', %(at)s, %(from_role)s, %(to_role)s, %(why)s)
on conflict (action) where turn = 'escalated' do nothing
returning id;
