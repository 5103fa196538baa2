select start_experiment(%(id)s, %(subject)s, %(against)s, %(seed)s, %(first)s, %(last)s,
                        %(acting)s, %(waiting)s, null) as became;
