insert into feed_aside (feed, sha256, said, reason, detail, first_at, last_at)
values (%(feed)s, %(sha256)s, %(said)s, %(reason)s, %(detail)s, %(now)s, %(now)s)
on conflict (feed, sha256) do update
    set reason = excluded.reason, detail = excluded.detail, last_at = excluded.last_at,
        tries = feed_aside.tries + 1;
