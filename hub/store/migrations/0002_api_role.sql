-- The API's role reads only views that are filtered by the shops of the session: a JSON array in
-- the setting storepulse.shops. Unset or empty, it sees nothing. The tables carry no grant to it.

do $$
begin
    if not exists (select from pg_roles where rolname = 'storepulse_api') then
        create role storepulse_api nologin;
    end if;
exception
    when insufficient_privilege then
        raise exception 'the database user may not create the role storepulse_api: '
            'let an administrator run `create role storepulse_api nologin`, then start again';
    when duplicate_object or unique_violation then
        null;  -- another database of this server was migrated in the same moment
end
$$;

create schema if not exists storepulse_api;

create function storepulse_api.may_see(shop text) returns boolean
language sql stable parallel safe
return coalesce(nullif(current_setting('storepulse.shops', true), '')::jsonb ? shop, false);

create view storepulse_api.shops with (security_barrier) as
    select * from shops where storepulse_api.may_see(shop);
create view storepulse_api.facts with (security_barrier) as
    select id, shop, metric, started_at, ended_at, value, low, high, n, coverage, independent,
           dims, method, source, received_at
    from facts where storepulse_api.may_see(shop);
create view storepulse_api.codes with (security_barrier) as
    select * from codes where storepulse_api.may_see(shop);
create view storepulse_api.actions with (security_barrier) as
    select id, shop, kind, dimension, day, body, state, created_at, due_at, delivered_at
    from actions where storepulse_api.may_see(shop);
create view storepulse_api.checklists with (security_barrier) as
    select id, shop, bay, photo, planogram, planogram_version, made_at, body
    from checklists where storepulse_api.may_see(shop);
create view storepulse_api.checklist_items with (security_barrier) as
    select shop, checklist, item, state, reason, changed_at
    from checklist_items where storepulse_api.may_see(shop);

grant usage on schema storepulse_api to storepulse_api;
grant select on all tables in schema storepulse_api to storepulse_api;
grant execute on all functions in schema storepulse_api to storepulse_api;
