select version, body from action_rules order by version desc limit 1;
