-- Who changed a policy, a playbook, a right or a code, and when: rows are added and never changed.
--
-- People stand here by their id. A name is looked up when the log is read, so that erasing somebody
-- (0015) leaves the log whole and the name nowhere.

create table audit (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    person uuid,                              -- no reference: the log outlives whom it names
    who text not null check (who <> ''),      -- 'person', 'machine' (a command on the hub itself), …
    what text not null check (what ~ '^[a-z]+(_[a-z]+)*$'),
    about text not null,                      -- 'person:3f9c…', 'policy:7', 'code:17/goods/2026-11-20'
    detail jsonb not null default '{}',
    check ((person is null) = (who <> 'person'))
);
create index audit_by_about on audit (about, id);

-- For everybody, the owner included: what would change a row is an error.
create function refuse_to_change_audit() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is only added to: % is refused', lower(tg_op)
        using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_is_only_added_to before update or delete or truncate on audit
    for each statement execute function refuse_to_change_audit();

-- The owner says who it was; of a session the database knows it better, and asks no word of it.
create function record_audit(of_person uuid, by_whom text, what text, about text, detail jsonb)
returns void
language sql
as $$
    insert into audit (person, who, what, about, detail)
    values (of_person, by_whom, record_audit.what, record_audit.about, record_audit.detail)
$$;

create function storepulse_api.record_audit(
    of_person uuid, by_whom text, what text, about text, detail jsonb
) returns void
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
declare
    me uuid := (select now.person from session_now() as now);
begin
    if me is null then
        raise exception 'nobody is signed in' using errcode = 'insufficient_privilege';
    end if;
    insert into audit (person, who, what, about, detail)
    values (me, 'person', record_audit.what, record_audit.about, record_audit.detail);
end
$$;

create view audit_told as
    select audit.id, audit.at, audit.person, audit.who, coalesce(doer.name, '') as name,
           audit.what, audit.about, coalesce(other.name, '') as about_name, audit.detail
    from audit
    left join people as doer on doer.id = audit.person
    left join people as other on audit.about = 'person:' || other.id;
create view storepulse_api.audit_told with (security_barrier) as
    select * from audit_told where (select storepulse_api.may('read_audit'));
grant select on storepulse_api.audit_told to storepulse_api;

-- Two roles more: the people of one shop, who see its nodes and pair its phones; and who reads
-- everything, the log too, and changes nothing. The same table as RIGHTS in hub/people/roles.py.
alter table people drop constraint people_role_check;
alter table people add constraint people_role_check
    check (role in ('clerk', 'shop', 'region', 'head_office', 'installer', 'auditor'));

-- What earlier migrations gave stays theirs: this one only adds.
alter function reach(text, text) rename to reach_before_14;
create function reach(of_role text, wanted text) returns text
language sql immutable parallel safe
return coalesce(
    (
        select told.reach from (values
            ('shop', 'see_shops', 'own'), ('shop', 'read_figures', 'own'),
            ('shop', 'see_nodes', 'own'), ('shop', 'pair_phones', 'own'),
            ('auditor', 'see_shops', 'all'), ('auditor', 'read_figures', 'all'),
            ('auditor', 'see_nodes', 'all'), ('auditor', 'see_faults', 'all'),
            ('auditor', 'read_audit', 'all'), ('head_office', 'read_audit', 'all')
        ) as told (role, right_name, reach)
        where told.role = of_role and told.right_name = wanted
    ),
    reach_before_14(of_role, wanted)
);

revoke execute on function storepulse_api.record_audit(uuid, text, text, text, jsonb) from public;
grant execute on function storepulse_api.record_audit(uuid, text, text, text, jsonb)
    to storepulse_api;
