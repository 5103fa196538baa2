select messages.stream, messages.number
from unnest(%(streams)s::bigint[], %(throughs)s::bigint[]) as asked (stream, through)
join messages on messages.stream = asked.stream and messages.number > asked.through
order by messages.stream, messages.number;
