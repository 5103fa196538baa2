select content from plan_versions where planogram = %(planogram)s and version = %(version)s;
