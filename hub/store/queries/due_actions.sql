-- What has passed its due time and does not say so yet.
select id from actions
where due_at <= %(now)s and state in ('pushed', 'delivered', 'seen')
order by due_at, id;
