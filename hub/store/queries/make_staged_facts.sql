-- Where facts wait within one transaction while some of their ids are taken; of this connection
-- alone, written to no log.
create temporary table if not exists staged (
    id text not null,
    shop text not null,
    metric text not null,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    value double precision,
    low double precision,
    high double precision,
    n bigint,
    coverage double precision not null,
    independent double precision not null,
    dims jsonb not null,
    method text not null,
    source text not null,
    stream bigint,
    number bigint,
    received_at timestamptz not null,
    sha256 bytea not null,
    place integer not null
) on commit delete rows;
-- Left from another call in the same transaction.
delete from staged;
