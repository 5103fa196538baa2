select content from plan_versions as v
where planogram = %(planogram)s and version = %(version)s
  and exists (select from plan_places p
              where p.planogram = v.planogram and p.version = v.version and p.shop = %(shop)s);
