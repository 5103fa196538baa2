select revision, content from plan_drafts where planogram = %(planogram)s;
