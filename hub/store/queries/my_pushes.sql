select id, endpoint_sha256, service, made_at from my_pushes order by made_at, id;
