select propose_experiment(%(id)s, %(kind)s, %(subject)s, %(dimension)s, %(shop)s, null) as became;
