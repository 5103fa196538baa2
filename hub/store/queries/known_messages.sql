-- Those keys of the asked stretches that are stored: nearly always none.
select messages.stream, messages.number, sha256
from unnest(%(streams)s::bigint[], %(firsts)s::bigint[], %(lasts)s::bigint[])
    as asked (stream, first, last)
join messages on messages.stream = asked.stream
    and messages.number between asked.first and asked.last;
