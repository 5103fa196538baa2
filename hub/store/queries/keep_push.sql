select keep_push(%(sha256)s, %(sealed)s, %(service)s, %(most)s) as became;
