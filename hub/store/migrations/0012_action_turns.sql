-- To whom an action goes, what it is worth, and what people and silence did with it.
--
-- The body of an action stays as it was pushed. Whom it is with now stands in the columns, and every
-- turn in action_turns. Sessions change something only by the two functions at the end.

alter table actions
    add column role text not null default 'clerk'
        check (role in ('clerk', 'region', 'head_office')),
    add column shift text not null default '',
    add column assignee uuid references people,
    add column worth double precision not null default 0;
create index actions_open on actions (created_at)
    where state in ('pushed', 'delivered', 'seen', 'overdue');

create table action_turns (
    id bigint generated always as identity primary key,
    action text not null references actions,
    turn text not null check (turn in ('escalated', 'reassigned', 'dismissed')),
    at timestamptz not null,
    by uuid references people,                -- null: the hub itself
    from_role text not null,
    to_role text not null,
    to_shift text not null default '',
    to_person uuid references people,
    reason text not null
);
create index action_turns_by_action on action_turns (action, id);
-- Nothing is escalated twice, whoever tries, and however many hubs run.
create unique index action_escalated_once on action_turns (action) where turn = 'escalated';

create function notify_turned() returns trigger language plpgsql as $$
begin
    perform pg_notify('storepulse_shown', named.shop)
    from (select distinct actions.shop
          from new_rows join actions on actions.id = new_rows.action) as named;
    return null;
end
$$;
create trigger action_turns_shown after insert on action_turns
    referencing new table as new_rows for each statement execute function notify_turned();

-- The same name in both schemas: what the owner asks, a session asks word for word.
create view action_told as
    select a.id, a.shop, shops.name as shop_name, shops.region, a.kind, a.dimension, a.day, a.body,
           a.state, a.created_at, a.due_at, a.node_path, a.delivered_at, a.role, a.shift,
           a.assignee, people.name as assignee_name, a.worth,
           (select min(at) from action_moves
            where action_moves.action = a.id and to_state = 'seen') as seen_at,
           turns.to_role as escalated_to, turns.reason as escalated_why, turns.at as escalated_at
    from actions as a
    join shops on shops.shop = a.shop
    left join people on people.id = a.assignee
    left join action_turns as turns on turns.action = a.id and turns.turn = 'escalated';
create view action_steps as
    select action, at, 'moved' as what, event as how, from_state as came_from, to_state as went_to,
           reason, null::text as by_whom, id as nth
    from action_moves
    union all
    select action, at, turn, '', from_role,
           concat_ws(', ', to_role, nullif(to_shift, ''), whom.name), reason, who.name, turns.id
    from action_turns as turns
    left join people as who on who.id = turns.by
    left join people as whom on whom.id = turns.to_person;

create view storepulse_api.action_told with (security_barrier) as
    select * from action_told where shop in (select storepulse_api.shops_of('read_figures'));
create view storepulse_api.action_steps with (security_barrier) as
    select steps.* from action_steps as steps join actions on actions.id = steps.action
    where actions.shop in (select storepulse_api.shops_of('read_figures'));
grant select on storepulse_api.action_told, storepulse_api.action_steps to storepulse_api;

-- Whether the session leads this shop: sees it, and is more than a clerk there.
create function leads(of_shop text) returns boolean
language sql stable security definer set search_path = storepulse, pg_temp
as $$
    select exists (select from session_now() as me where me.role in ('region', 'head_office'))
       and of_shop in (select storepulse_api.shops_of('read_figures'))
$$;

-- Who could be given an action of this shop; nobody to a session that does not lead it.
create function storepulse_api.who_takes(of_shop text)
returns table (id uuid, name text, role text)
language sql stable security definer set search_path = storepulse, pg_temp
as $$
    select people.id, people.name, people.role
    from people
    where leads(of_shop) and people.ended_at is null
      and (people.role = 'head_office'
           or exists (select from person_shops as at where at.person = people.id and at.shop = of_shop)
           or exists (select from person_regions as at join shops on shops.region = at.region
                      where at.person = people.id and shops.shop = of_shop))
      and people.role in ('clerk', 'region', 'head_office')
    order by people.role, people.name_key
$$;

-- 'not_there': no such action, or none that the session leads. 'closed': it is over already.
create function storepulse_api.dismiss_action(which text, why text) returns text
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
    update actions set state = 'cannot_do' where actions.id = which;
    insert into action_moves (action, from_state, to_state, event, at, reason)
    values (which, found_one.state, 'cannot_do', 'dismissed', now(), why);
    insert into action_turns (action, turn, at, by, from_role, to_role, reason)
    values (which, 'dismissed', now(), (select person from session_now()), found_one.role,
            found_one.role, why);
    return 'dismissed';
end
$$;

-- As above; 'nobody': the person named does not work for this shop in this role.
create function storepulse_api.reassign_action(
    which text, new_role text, new_shift text, new_person uuid, why text
) returns text
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
    if new_person is not null and not exists (
        select from storepulse_api.who_takes(found_one.shop) as who
        where who.id = new_person and who.role = new_role
    ) then
        return 'nobody';
    end if;
    update actions set role = new_role, shift = new_shift, assignee = new_person
    where actions.id = which;
    insert into action_turns
        (action, turn, at, by, from_role, to_role, to_shift, to_person, reason)
    values (which, 'reassigned', now(), (select person from session_now()), found_one.role,
            new_role, new_shift, new_person, why);
    return 'reassigned';
end
$$;

revoke execute on function storepulse_api.who_takes(text) from public;
revoke execute on function storepulse_api.dismiss_action(text, text) from public;
revoke execute on function storepulse_api.reassign_action(text, text, text, uuid, text) from public;
grant execute on function storepulse_api.who_takes(text) to storepulse_api;
grant execute on function storepulse_api.dismiss_action(text, text) to storepulse_api;
grant execute on function storepulse_api.reassign_action(text, text, text, uuid, text)
    to storepulse_api;
