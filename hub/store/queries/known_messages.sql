select messages.stream, messages.number, sha256 from messages
join unnest(%(streams)s::bigint[], %(numbers)s::bigint[]) as asked (stream, number)
    on messages.stream = asked.stream and messages.number = asked.number;
