-- The node's own synchronised clock beats the time of receipt; among receipts the earliest is the
-- nearest to the truth, since a message only ever takes longer.
insert into boots (node_path, boot, offset_s, exact, learned_at)
values (%(node_path)s, %(boot)s, %(offset_s)s, %(exact)s, %(at)s)
on conflict (node_path, boot) do update set
    offset_s = excluded.offset_s, exact = excluded.exact, learned_at = excluded.learned_at
where (excluded.exact and not boots.exact)
   or (not excluded.exact and not boots.exact and excluded.offset_s < boots.offset_s);
