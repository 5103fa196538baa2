-- Once, and only for the browser that began it.
delete from oidc_tries
where state_sha256 = %(state)s and browser_sha256 = %(browser)s and ends_at > now()
returning nonce, verifier, welcome_sha256, person;
