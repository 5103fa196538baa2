select reassign_action(%(action)s, %(role)s, %(shift)s, %(person)s, %(reason)s) as became;
