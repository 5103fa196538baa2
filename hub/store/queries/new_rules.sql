insert into action_rules (version, body) values (%(version)s, %(body)s)
on conflict do nothing
returning version;
