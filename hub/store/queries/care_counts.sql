select agreed, sent, waiting, gave_up from care_counts(%(shop)s);
