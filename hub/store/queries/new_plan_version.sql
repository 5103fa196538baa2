insert into plan_versions
    (planogram, version, name, bay, positions, content, sha256, starts_on, published_at)
values (%(planogram)s, %(version)s, %(name)s, %(bay)s, %(positions)s, %(content)s, %(sha256)s,
        %(starts_on)s, %(published_at)s);
