delete from plan_drafts where planogram = %(planogram)s;
