update streams set through = reached.through
from unnest(%(streams)s::bigint[], %(throughs)s::bigint[]) as reached (stream, through)
where streams.stream = reached.stream and streams.through < reached.through;
