delete from oidc_tries where ends_at < now();
