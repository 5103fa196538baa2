-- Counts a try; no row comes back while one has to wait. Forgotten after a quarter of an hour.
-- Doubled at most 30 times: beyond any cap, and far from where power() overflows.
insert into sign_in_tries as known (who, tries, last_at) values (%(who)s, 1, now())
on conflict (who) do update set
    tries = case when known.last_at < now() - interval '15 minutes' then 1
                 else known.tries + 1 end,
    last_at = now()
where known.tries < %(free)s
   or known.last_at + least(power(2, least(known.tries - %(free)s, 30)), %(wait_s_max)s)
      * interval '1 second' <= now()
returning tries;
