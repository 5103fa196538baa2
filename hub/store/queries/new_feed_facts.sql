insert into feed_facts (series, version, sha256)
select * from unnest(%(series)s::text[], %(version)s::integer[], %(sha256)s::bytea[])
on conflict (series) do update set version = excluded.version, sha256 = excluded.sha256;
