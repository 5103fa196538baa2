select propose_experiment(%(id)s, %(kind)s, %(subject)s, %(dimension)s, %(shop)s, %(words)s,
                          null) as became;
