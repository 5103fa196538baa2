-- Whose codes are to be computed again. Append-only, so that writers never wait for each other: the
-- scheduler takes (deletes) the rows it sees, in the transaction that stores the codes; those of a
-- writer that has not committed yet stay for the next time.

create table touched_days (
    id bigint generated always as identity primary key,
    shop text not null,
    day date not null
);

create table touched_taps (
    id bigint generated always as identity primary key,
    shop text not null,
    at timestamptz not null
);

create function touch_days_of_facts() returns trigger language plpgsql as $$
begin
    insert into storepulse.touched_days (shop, day)
    select distinct new_rows.shop, (new_rows.started_at at time zone shops.timezone)::date
    from new_rows join storepulse.shops on shops.shop = new_rows.shop;
    perform pg_notify('storepulse_touched', '');
    return null;
end
$$;

-- On the parent, for each statement: a COPY of many facts is one call.
create trigger facts_touch_days after insert on facts
    referencing new table as new_rows for each statement execute function touch_days_of_facts();

create function touch_days_of_checklists() returns trigger language plpgsql as $$
begin
    insert into storepulse.touched_days (shop, day)
    select distinct new_rows.shop, (new_rows.made_at at time zone shops.timezone)::date
    from new_rows join storepulse.shops on shops.shop = new_rows.shop;
    perform pg_notify('storepulse_touched', '');
    return null;
end
$$;

create trigger checklists_touch_days after insert on checklists
    referencing new table as new_rows for each statement execute function touch_days_of_checklists();

create function touch_taps() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'receptions' then
        insert into storepulse.touched_taps (shop, at) values (new.shop, new.at);
    elsif tg_table_name = 'experiences' then
        insert into storepulse.touched_taps (shop, at) values (new.shop, new.begun_at);
    else
        insert into storepulse.touched_taps (shop, at) values (new.shop, new.made_at);
    end if;
    perform pg_notify('storepulse_touched', '');
    return null;
end
$$;

create trigger receptions_touch after insert or update on receptions
    for each row execute function touch_taps();
create trigger experiences_touch after insert or update on experiences
    for each row execute function touch_taps();
create trigger deals_touch after insert or update on deals
    for each row execute function touch_taps();

-- A list of shops that moves a shop to its time zone moves its facts to other days.
create function touch_days_of_moved_shop() returns trigger language plpgsql as $$
begin
    insert into storepulse.touched_days (shop, day)
    select distinct new.shop, (started_at at time zone zone)::date
    from storepulse.facts, unnest(array[old.timezone, new.timezone]) as zone
    where facts.shop = new.shop;
    perform pg_notify('storepulse_touched', '');
    return null;
end
$$;

create trigger shops_touch_days after update on shops
    for each row when (old.timezone is distinct from new.timezone)
    execute function touch_days_of_moved_shop();
