select coalesce(max(version), 0) as version from plan_versions where planogram = %(planogram)s;
