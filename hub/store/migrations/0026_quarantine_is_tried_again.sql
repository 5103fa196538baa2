-- Which version of the hub last refused a message: another one tries it again. And how much is kept
-- of each node, all in all; triggers count, so that no way in or out can be forgotten.
alter table quarantine
    add column tried_by text,
    add column bytes integer generated always as (octet_length(raw)) stored;

create table quarantine_of_node (
    node_path text primary key,
    messages bigint not null,
    bytes bigint not null
);

insert into quarantine_of_node (node_path, messages, bytes)
select node_path, count(*), sum(bytes) from quarantine group by node_path;

create function count_into_quarantine() returns trigger language plpgsql as $$
begin
    insert into storepulse.quarantine_of_node as held (node_path, messages, bytes)
    select node_path, count(*), sum(bytes) from changed group by node_path
    on conflict (node_path) do update
    set messages = held.messages + excluded.messages, bytes = held.bytes + excluded.bytes;
    return null;
end
$$;

create function count_out_of_quarantine() returns trigger language plpgsql as $$
begin
    update storepulse.quarantine_of_node as held
    set messages = held.messages - gone.messages, bytes = held.bytes - gone.bytes
    from (
        select node_path, count(*) as messages, sum(bytes) as bytes
        from changed group by node_path
    ) as gone
    where held.node_path = gone.node_path;
    return null;
end
$$;

create trigger quarantine_counts_in after insert on quarantine
    referencing new table as changed for each statement execute function count_into_quarantine();
create trigger quarantine_counts_out after delete on quarantine
    referencing old table as changed for each statement execute function count_out_of_quarantine();

-- Refused messages are not counted by the hour any more.
alter table faults_of_hour drop column quarantined, drop column quarantined_bytes;
alter table faults_of_hour rename column quarantined_over to let_go;
