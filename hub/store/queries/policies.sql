select version, name, starts_on, body, published_at, published_by from policies order by version;
