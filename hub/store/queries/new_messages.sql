insert into messages (stream, number, sha256, received_at)
select stream, number, sha256, %(received_at)s
from unnest(%(streams)s::bigint[], %(numbers)s::bigint[], %(sha256)s::bytea[])
    as told (stream, number, sha256);
