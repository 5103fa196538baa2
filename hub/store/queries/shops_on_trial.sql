select shop from shops_on_trial(%(dimension)s, %(first)s, %(last)s) as taken (shop);
