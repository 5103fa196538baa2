select publish_playbook(%(name)s, %(en)s, %(zh)s, %(note)s, %(after)s) as version;
