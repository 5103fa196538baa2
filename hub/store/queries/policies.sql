select version, name, starts_on, body, published_at from policies order by version;
