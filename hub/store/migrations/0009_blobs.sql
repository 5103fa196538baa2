-- Pictures that nodes sent up, by reference: the files lie in the blob store. And under which names
-- a node is served to phones: a renewal repeats them.

create table blobs (
    shop text not null,
    photo uuid not null,
    name text not null check (name in ('annotated.jpg', 'photo.jpg')),
    sha256 bytea not null check (length(sha256) = 32),
    bytes integer not null check (bytes > 0),
    node_path text not null,
    at timestamptz not null,
    primary key (shop, photo, name)
);
create index blobs_by_age on blobs (at);

create view storepulse_api.blobs with (security_barrier) as
    select shop, photo, name, sha256, bytes, at
    from blobs where shop in (select storepulse_api.shops_of('read_figures'));
grant select on storepulse_api.blobs to storepulse_api;

-- An open page that waits for a picture looks again.
create trigger blobs_shown after insert on blobs
    referencing new table as new_rows for each statement execute function notify_shown();

alter table node_certificates add column server_names text[] not null default '{}';
