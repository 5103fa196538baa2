insert into messages (stream, number, sha256, received_at)
select stream, number, sha256, received_at from staged where new_key;
