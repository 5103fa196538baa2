-- How each playbook stands at each shop: a trial's two sides, or rolled out (all shops: shop null).
select experiments.id, subject, part.shop, part.acts from experiments
join experiment_shops as part on part.experiment = experiments.id
where kind = 'playbook' and state = 'running' and %(day)s between starts_on and ends_on
union all
select id, subject, null, true from experiments where kind = 'playbook' and state = 'rolled_out'
order by id, shop;
