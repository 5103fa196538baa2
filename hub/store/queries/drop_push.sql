select drop_push(%(sha256)s) as done;
