select move_experiment(%(id)s, %(state)s, %(reason)s, null) as became;
