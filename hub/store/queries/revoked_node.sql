-- No row for a node that was never enrolled: brokers without TLS have only such.
select bool_and(revoked_at is not null) as revoked from node_certificates
where node_path = %(node_path)s;
