-- No row for a node that was never enrolled: brokers without TLS have only such.
select node_path from node_certificates
where node_path = any(%(node_paths)s)
group by node_path having bool_and(revoked_at is not null);
