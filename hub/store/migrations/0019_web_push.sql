-- Browsers that people of the chain let notices be shown in. Sealed by the hub's key file, as channels
-- are: an address at a push service and a secret lie in it.

create table push_subscriptions (
    id uuid primary key default gen_random_uuid(),
    person uuid not null references people,
    -- Signed out, a browser shows nothing any more; one that only rested still does.
    session uuid not null references sessions on delete cascade,
    endpoint_sha256 bytea not null unique,    -- of an address that nobody can guess
    sealed bytea not null,
    service text not null,                    -- the push service's host, to be shown
    made_at timestamptz not null default now()
);
create index push_by_person on push_subscriptions (person);

create view push_told as
    select push_subscriptions.id, push_subscriptions.person, endpoint_sha256, sealed, service,
           push_subscriptions.made_at
    from push_subscriptions join sessions on sessions.id = push_subscriptions.session
    where sessions.ended_at is null;
create view storepulse_api.my_pushes with (security_barrier) as
    select id, endpoint_sha256, service, made_at
    from push_told where person = (select me.person from session_now() as me);
grant select on storepulse_api.my_pushes to storepulse_api;

-- 'nobody' asks, 'too_many', or 'kept'. A browser is of whoever signed in there last.
create function storepulse_api.keep_push(
    sha256 bytea, in_sealed bytea, in_service text, most integer
) returns text
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
declare
    asks record;
begin
    select session, person into asks from session_now();
    if asks.person is null then
        return 'nobody';
    end if;
    delete from push_subscriptions where endpoint_sha256 = sha256;
    if (select count(*) from push_told where person = asks.person) >= most then
        return 'too_many';
    end if;
    insert into push_subscriptions (person, session, endpoint_sha256, sealed, service)
    values (asks.person, asks.session, sha256, in_sealed, in_service);
    return 'kept';
end
$$;

-- False: there was none of the person's own.
create function storepulse_api.drop_push(sha256 bytea) returns boolean
language plpgsql security definer set search_path = storepulse, pg_temp
as $$
begin
    delete from push_subscriptions
    where endpoint_sha256 = sha256 and person = (select me.person from session_now() as me);
    return found;
end
$$;

revoke execute on function storepulse_api.keep_push(bytea, bytea, text, integer),
    storepulse_api.drop_push(bytea) from public;
grant execute on function storepulse_api.keep_push(bytea, bytea, text, integer),
    storepulse_api.drop_push(bytea) to storepulse_api;
