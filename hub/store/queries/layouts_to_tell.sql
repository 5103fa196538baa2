-- Layouts that a shop is to try now, or that were rolled out, and that it was not told yet. A day of
-- the shop's own calendar.
select experiments.id, experiments.subject, experiments.dimension, experiments.words,
       experiments.state, experiments.ends_on, shops.shop,
       (%(now)s::timestamptz at time zone shops.timezone)::date as day
from experiments
join shops on (experiments.state = 'rolled_out' or exists (
        select from experiment_shops as part
        where part.experiment = experiments.id and part.shop = shops.shop and part.acts))
where experiments.kind = 'layout'
  and (experiments.state = 'rolled_out'
       or experiments.state = 'running'
          and (%(now)s::timestamptz at time zone shops.timezone)::date
              between experiments.starts_on and experiments.ends_on)
  and not exists (select from actions
                  where actions.shop = shops.shop and actions.kind = %(kind)s
                    and actions.subject = experiments.id
                    -- Rolled out again after it was taken back, it is told again.
                    and not (actions.state = 'withdrawn' and exists (
                        select from action_moves as moves
                        where moves.action = actions.id and moves.event = 'cause_gone')))
order by experiments.id, shops.shop
limit 1000;
