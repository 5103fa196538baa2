select exists (
    select from fact_ids
    join facts on facts.id = fact_ids.id and facts.started_at = fact_ids.started_at
    where fact_ids.id = any(%(ids)s) and facts.received_at >= %(before)s
) as any;
