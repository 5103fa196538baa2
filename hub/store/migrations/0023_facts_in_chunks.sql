-- Where the database has TimescaleDB, facts are a hypertable: it makes its parts (chunks of 30 days)
-- by itself, and is what compression and continuous aggregates would need. Elsewhere, and where the
-- extension is made later, they stay in partitions by month. Both hold the same and answer the same.

do $$
declare
    home text := (
        select quote_ident(nspname) from pg_extension
        join pg_namespace on pg_namespace.oid = extnamespace where extname = 'timescaledb'
    );
    seen text := pg_get_viewdef('storepulse_api.facts');
begin
    if home is null then
        return;
    end if;
    alter table facts rename to facts_by_month;
    create table facts (like facts_by_month including defaults);
    execute format(
        'select %1$s.create_hypertable(''storepulse.facts'', %1$s.by_range(''started_at'','
        ' interval ''30 days''), create_default_indexes => false)', home
    );
    insert into facts select * from facts_by_month;
    execute 'create or replace view storepulse_api.facts with (security_barrier) as ' || seen;
    drop table facts_by_month;
    create index facts_by_shop on facts (shop, metric, started_at);
    create index facts_by_message on facts (stream, number) where stream is not null;
    -- After the copying: these facts have touched their days before.
    create trigger facts_touch_days after insert on facts
        referencing new table as new_rows for each statement execute function touch_days_of_facts();
end
$$;
