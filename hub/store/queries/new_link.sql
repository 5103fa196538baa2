insert into welcome_links (token_sha256, person, ends_at)
values (%(token_sha256)s, %(person)s, now() + %(lifetime)s);
