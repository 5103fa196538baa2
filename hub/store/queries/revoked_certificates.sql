-- One that has ended is refused anyway: the list stays short.
select serial, chain, shop, node from node_certificates
where revoked_at is not null and ends_at > %(now)s;
