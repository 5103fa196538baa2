insert into policies (version, name, starts_on, body)
values (%(version)s, %(name)s, %(starts_on)s, %(body)s)
on conflict (version) do nothing;
