-- Experiments: a playbook, layout or policy that some shops try and others wait for.
--
-- Sessions see those that reach one of their shops, and of the shops their own. They propose for
-- their own shops; head office starts, stops and rolls out. Both only by the functions at the end,
-- which ask themselves; for the owner functions of the same names ask nobody.

create table experiments (
    id text primary key,
    kind text not null check (kind in ('playbook', 'layout', 'policy')),
    subject text not null check (subject <> ''),   -- the playbook's name, or the layout in words
    dimension text not null check (dimension in ('people', 'goods', 'place', 'conversion')),
    state text not null default 'proposed'
        check (state in ('proposed', 'running', 'stopped', 'rolled_out')),
    shop text references shops,                     -- who proposed it; null: head office
    proposed_by uuid references people,
    proposed_at timestamptz not null default now(),
    seed bigint,                                    -- of the lots; set when it starts
    starts_on date,
    ends_on date,
    check ((state = 'proposed') = (seed is null))
);
create table experiment_shops (
    experiment text not null references experiments,
    shop text not null references shops,
    pair integer not null,
    acts boolean not null,
    primary key (experiment, shop),
    unique (experiment, pair, acts)
);
create index experiment_shops_by_shop on experiment_shops (shop);
create table experiment_moves (
    id bigint generated always as identity primary key,
    experiment text not null references experiments,
    from_state text not null,
    to_state text not null,
    by_person uuid references people,
    at timestamptz not null default now(),
    reason text not null default ''
);
create index experiment_moves_by_experiment on experiment_moves (experiment, id);

create function propose_experiment(
    of_id text, of_kind text, of_subject text, of_dimension text, of_shop text, by_person uuid
) returns text
language plpgsql set search_path = storepulse, pg_temp
as $$
begin
    insert into experiments (id, kind, subject, dimension, shop, proposed_by)
    values (of_id, of_kind, of_subject, of_dimension, of_shop, by_person);
    return 'proposed';
end
$$;

-- 'not_there', 'not_so' (its state allows no start), or 'running'.
create function start_experiment(
    of_id text, of_seed bigint, first date, last date, acting text[], waiting text[],
    by_person uuid
) returns text
language plpgsql set search_path = storepulse, pg_temp
as $$
declare
    before text := (select state from experiments where id = of_id for update);
begin
    if before is null then
        return 'not_there';
    elsif before <> 'proposed' then
        return 'not_so';
    end if;
    insert into experiment_shops (experiment, shop, pair, acts)
    select of_id, a.shop, a.pair, true from unnest(acting) with ordinality as a (shop, pair)
    union all
    select of_id, w.shop, w.pair, false from unnest(waiting) with ordinality as w (shop, pair);
    update experiments set state = 'running', seed = of_seed, starts_on = first, ends_on = last
    where id = of_id;
    insert into experiment_moves (experiment, from_state, to_state, by_person)
    values (of_id, before, 'running', by_person);
    return 'running';
end
$$;

-- Stop what runs, roll out what ran. 'not_there', 'not_so', or the new state.
create function move_experiment(of_id text, wanted text, why text, by_person uuid) returns text
language plpgsql set search_path = storepulse, pg_temp
as $$
declare
    before text := (select state from experiments where id = of_id for update);
begin
    if before is null then
        return 'not_there';
    elsif not (wanted = 'stopped' and before = 'running'
               or wanted = 'rolled_out' and before in ('running', 'stopped')) then
        return 'not_so';
    end if;
    update experiments set state = wanted where id = of_id;
    insert into experiment_moves (experiment, from_state, to_state, by_person, reason)
    values (of_id, before, wanted, by_person, why);
    return wanted;
end
$$;

create view storepulse_api.experiments with (security_barrier) as
    select id, kind, subject, dimension, state, proposed_at, starts_on, ends_on,
           case when shop in (select storepulse_api.shops_of('read_figures')) then shop end as shop
    from experiments
    where (select storepulse_api.may('manage_people'))
       or shop in (select storepulse_api.shops_of('read_figures'))
       or exists (select from experiment_shops as part
                  where part.experiment = experiments.id
                    and part.shop in (select storepulse_api.shops_of('read_figures')));
create view storepulse_api.experiment_shops with (security_barrier) as
    select experiment, shop, pair, acts from experiment_shops
    where shop in (select storepulse_api.shops_of('read_figures'));
create view storepulse_api.experiment_moves with (security_barrier) as
    select experiment, from_state, to_state, at, reason from experiment_moves
    where experiment in (select id from storepulse_api.experiments);
grant select on storepulse_api.experiments, storepulse_api.experiment_shops,
    storepulse_api.experiment_moves to storepulse_api;

create function storepulse_api.propose_experiment(
    of_id text, of_kind text, of_subject text, of_dimension text, of_shop text, by_person uuid
) returns text
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
declare
    asks uuid := (select me.person from session_now() as me);
begin
    -- Without a shop it is of head office.
    if of_shop is null and not storepulse_api.may('manage_people') then
        return 'not_there';
    elsif of_shop is not null
          and of_shop not in (select storepulse_api.shops_of('read_figures')) then
        return 'not_there';
    end if;
    return propose_experiment(of_id, of_kind, of_subject, of_dimension, of_shop, asks);
end
$$;

create function storepulse_api.start_experiment(
    of_id text, of_seed bigint, first date, last date, acting text[], waiting text[],
    by_person uuid
) returns text
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
begin
    if not storepulse_api.may('manage_people') then
        return 'not_there';
    end if;
    return start_experiment(of_id, of_seed, first, last, acting, waiting,
                            (select me.person from session_now() as me));
end
$$;

create function storepulse_api.move_experiment(
    of_id text, wanted text, why text, by_person uuid
) returns text
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
begin
    if not storepulse_api.may('manage_people') then
        return 'not_there';
    end if;
    return move_experiment(of_id, wanted, why, (select me.person from session_now() as me));
end
$$;

revoke execute on function propose_experiment(text, text, text, text, text, uuid),
    start_experiment(text, bigint, date, date, text[], text[], uuid),
    move_experiment(text, text, text, uuid),
    storepulse_api.propose_experiment(text, text, text, text, text, uuid),
    storepulse_api.start_experiment(text, bigint, date, date, text[], text[], uuid),
    storepulse_api.move_experiment(text, text, text, uuid) from public;
grant execute on function
    storepulse_api.propose_experiment(text, text, text, text, text, uuid),
    storepulse_api.start_experiment(text, bigint, date, date, text[], text[], uuid),
    storepulse_api.move_experiment(text, text, text, uuid) to storepulse_api;
