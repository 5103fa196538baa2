-- No row when very many are under way.
insert into oidc_tries
    (state_sha256, browser_sha256, nonce, verifier, welcome_sha256, person, ends_at)
select %(state)s, %(browser)s, %(nonce)s, %(verifier)s, %(welcome)s, %(person)s,
       now() + %(lifetime)s
where (select count(*) from oidc_tries) < %(tries_max)s;
