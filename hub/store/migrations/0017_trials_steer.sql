-- Trials with rights of their own, proposals that are declined, roll-outs that are taken back, and
-- what playbooks were worth, kept so that every push is chosen by the same figures.

alter function reach(text, text) rename to reach_before_trials;
create function reach(of_role text, wanted text) returns text
language sql immutable parallel safe
return coalesce(
    (
        select told.reach from (values
            ('clerk', 'propose_trials', 'own'), ('shop', 'propose_trials', 'own'),
            ('region', 'propose_trials', 'own'), ('head_office', 'propose_trials', 'all'),
            ('head_office', 'run_trials', 'all')
        ) as told (role, right_name, reach)
        where told.role = of_role and told.right_name = wanted
    ),
    reach_before_trials(of_role, wanted)
);

alter table experiments
    add column words text not null default '',     -- of the proposal: what, and why it should help
    -- The playbook that the waiting shops get in its place; '': none.
    add column against text not null default '';
alter table experiments drop constraint experiments_state_check;
alter table experiments add constraint experiments_state_check
    check (state in ('proposed', 'declined', 'running', 'stopped', 'rolled_out'));
alter table experiments drop constraint experiments_check;
alter table experiments add constraint experiments_started
    check ((state in ('proposed', 'declined')) = (seed is null));

-- By the scheduler, from all trials' figures; only to choose and to show by, and told again hourly.
create table trial_worths (
    kind text not null,
    subject text not null,
    dimension text not null,
    against text not null,
    effect double precision not null,
    low double precision not null,
    high double precision not null,
    trials integer not null,
    expected double precision not null,
    told_at timestamptz not null,
    primary key (kind, subject, dimension, against)
);

drop function storepulse_api.propose_experiment(text, text, text, text, text, uuid);
drop function propose_experiment(text, text, text, text, text, uuid);
drop function storepulse_api.start_experiment(text, bigint, date, date, text[], text[], uuid);
drop function start_experiment(text, bigint, date, date, text[], text[], uuid);
drop function storepulse_api.move_experiment(text, text, text, uuid);
drop function move_experiment(text, text, text, uuid);

create function propose_experiment(
    of_id text, of_kind text, of_subject text, of_dimension text, of_shop text, in_words text,
    by_person uuid
) returns text
language plpgsql set search_path = storepulse, pg_temp
as $$
begin
    insert into experiments (id, kind, subject, dimension, shop, words, proposed_by)
    values (of_id, of_kind, of_subject, of_dimension, of_shop, in_words, by_person);
    return 'proposed';
end
$$;

-- 'not_there', 'not_so' (its state allows no start), or 'running'.
create function start_experiment(
    of_id text, of_subject text, of_against text, of_seed bigint, first date, last date,
    acting text[], waiting text[], by_person uuid
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
    update experiments set state = 'running', subject = of_subject, against = of_against,
                           seed = of_seed, starts_on = first, ends_on = last
    where id = of_id;
    insert into experiment_moves (experiment, from_state, to_state, by_person)
    values (of_id, before, 'running', by_person);
    return 'running';
end
$$;

-- Decline what is proposed, and take that back; stop what runs; roll out what ran, and take that
-- back. 'not_there', 'not_so', or the new state.
create function move_experiment(of_id text, wanted text, why text, by_person uuid) returns text
language plpgsql set search_path = storepulse, pg_temp
as $$
declare
    before text := (select state from experiments where id = of_id for update);
begin
    if before is null then
        return 'not_there';
    elsif not ((before, wanted) in (
        ('proposed', 'declined'), ('declined', 'proposed'), ('running', 'stopped'),
        ('running', 'rolled_out'), ('stopped', 'rolled_out'), ('rolled_out', 'stopped')
    )) then
        return 'not_so';
    end if;
    update experiments set state = wanted where id = of_id;
    insert into experiment_moves (experiment, from_state, to_state, by_person, reason)
    values (of_id, before, wanted, by_person, why);
    return wanted;
end
$$;

-- Shops that take part in a trial of this dimension on one of these days: free for no second one.
create function shops_on_trial(of_dimension text, first date, last date) returns setof text
language sql stable set search_path = storepulse, pg_temp
as $$
    select distinct part.shop
    from experiments join experiment_shops as part on part.experiment = experiments.id
    where state = 'running' and dimension = of_dimension and starts_on <= last and ends_on >= first
$$;

create or replace view storepulse_api.experiments with (security_barrier) as
    select id, kind, subject, dimension, state, proposed_at, starts_on, ends_on,
           case when shop in (select storepulse_api.shops_of('read_figures')) then shop end as shop,
           case when shop is null or shop in (select storepulse_api.shops_of('read_figures'))
                then words else '' end as words,
           against
    from experiments
    where (select storepulse_api.may('run_trials'))
       or shop in (select storepulse_api.shops_of('read_figures'))
       -- What was rolled out reaches every shop.
       or (state = 'rolled_out' and (select storepulse_api.may('read_figures')))
       or exists (select from experiment_shops as part
                  where part.experiment = experiments.id
                    and part.shop in (select storepulse_api.shops_of('read_figures')));
create view storepulse_api.trial_worths with (security_barrier) as
    select * from trial_worths where (select storepulse_api.may('read_figures'));
grant select on storepulse_api.trial_worths to storepulse_api;

create function storepulse_api.propose_experiment(
    of_id text, of_kind text, of_subject text, of_dimension text, of_shop text, in_words text,
    by_person uuid
) returns text
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
begin
    -- Without a shop it is of head office.
    if of_shop is null and not storepulse_api.may('run_trials') then
        return 'not_there';
    elsif of_shop is not null
          and of_shop not in (select storepulse_api.shops_of('propose_trials')) then
        return 'not_there';
    end if;
    return propose_experiment(of_id, of_kind, of_subject, of_dimension, of_shop, in_words,
                              asking_person());
end
$$;

create function storepulse_api.start_experiment(
    of_id text, of_subject text, of_against text, of_seed bigint, first date, last date,
    acting text[], waiting text[], by_person uuid
) returns text
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
begin
    if not storepulse_api.may('run_trials') then
        return 'not_there';
    end if;
    return start_experiment(of_id, of_subject, of_against, of_seed, first, last, acting, waiting,
                            asking_person());
end
$$;

create function storepulse_api.move_experiment(
    of_id text, wanted text, why text, by_person uuid
) returns text
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
begin
    -- A shop takes its own proposal back; everything else is head office's.
    if not storepulse_api.may('run_trials') and not (
        wanted = 'declined' and exists (
            select from experiments
            where id = of_id and shop in (select storepulse_api.shops_of('propose_trials')))
    ) then
        return 'not_there';
    end if;
    return move_experiment(of_id, wanted, why, asking_person());
end
$$;

revoke execute on function propose_experiment(text, text, text, text, text, text, uuid),
    start_experiment(text, text, text, bigint, date, date, text[], text[], uuid),
    move_experiment(text, text, text, uuid), shops_on_trial(text, date, date),
    storepulse_api.propose_experiment(text, text, text, text, text, text, uuid),
    storepulse_api.start_experiment(text, text, text, bigint, date, date, text[], text[], uuid),
    storepulse_api.move_experiment(text, text, text, uuid) from public;
grant execute on function
    storepulse_api.propose_experiment(text, text, text, text, text, text, uuid),
    storepulse_api.start_experiment(text, text, text, bigint, date, date, text[], text[], uuid),
    storepulse_api.move_experiment(text, text, text, uuid) to storepulse_api;
