-- When a request was acted on, so that its UUID can be forgotten. Those from before count from now.
alter table marks add column at text not null default '';
update marks set at = strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now');
