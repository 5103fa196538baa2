update nodes set config_sent = %(revision)s, config_sent_at = %(at)s
where node_path = %(node_path)s;
