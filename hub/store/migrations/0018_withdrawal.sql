-- Actions that are withdrawn: dismissed, expired, or their cause is gone. They stay in the history,
-- and go down to the node once more until it says that it heard.

alter table actions
    add column withdrawal_sent_at timestamptz,
    add column withdrawal_kept_at timestamptz;    -- when the node's receipt came up
create index actions_withdrawn on actions (shop)
    where state = 'withdrawn' and withdrawal_kept_at is null;

-- 'not_there': no such action, or none that the session leads. 'closed': it is over already.
create or replace function storepulse_api.dismiss_action(which text, why text) returns text
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
declare
    found_one actions;
begin
    select * into found_one from actions where actions.id = which for update;
    if not found or not leads(found_one.shop) then
        return 'not_there';
    end if;
    if found_one.state not in ('pushed', 'delivered', 'seen', 'overdue') then
        return 'closed';
    end if;
    update actions set state = 'withdrawn' where actions.id = which;
    insert into action_moves (action, from_state, to_state, event, at, reason)
    values (which, found_one.state, 'withdrawn', 'dismissed', now(), why);
    insert into action_turns (action, turn, at, by, from_role, to_role, reason)
    values (which, 'dismissed', now(), (select person from session_now()), found_one.role,
            found_one.role, why);
    return 'dismissed';
end
$$;
