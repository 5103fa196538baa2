-- Where a ticket's QR leads, told to every node, so that a shop without the hub makes whole tickets.

create table ticket_pages (
    only_one boolean primary key default true check (only_one),
    address text not null                     -- the secret of a ticket is put behind it
);

-- A hub that moved tells all nodes anew; one that only started again tells none.
create function set_ticket_pages(of_address text) returns void
language plpgsql set search_path = storepulse, pg_temp
as $$
begin
    insert into ticket_pages (address) values (of_address)
    on conflict (only_one) do update set address = excluded.address
        where ticket_pages.address <> excluded.address;
    if found then
        update nodes set config_revision = config_revision + 1;
    end if;
end
$$;
revoke execute on function set_ticket_pages(text) from public;
