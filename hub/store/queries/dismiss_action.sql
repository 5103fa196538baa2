select dismiss_action(%(action)s, %(reason)s) as became;
