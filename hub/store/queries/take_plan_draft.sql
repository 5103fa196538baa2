delete from plan_drafts where planogram = %(planogram)s and revision = %(revision)s
returning planogram;
