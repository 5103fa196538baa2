-- What waited for this boot's time, in the order in which it was said.
with taken as (
    delete from facts_untimed
    where node_path = %(node_path)s and boot = any(%(boots)s)
    returning stream, number, boot, monotonic_s, said_at, kind, fact
)
select taken.*, streams.epoch from taken join streams using (stream) order by stream, number;
