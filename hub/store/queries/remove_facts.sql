-- Their ids stay in fact_ids: the same fact said again is none of the new ones.
delete from facts using fact_ids
where fact_ids.id = any(%(ids)s)
  and facts.id = fact_ids.id and facts.started_at = fact_ids.started_at;
