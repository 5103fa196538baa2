-- Every node that was invited, enrolled or heard, by shop: with its latest certificate.
select chain, shop, node, last_seen, online, certificate.issued_at, certificate.ends_at,
       certificate.revoked_at, invitation.ends_at as invited_until
from (
    select chain, shop, node, node_path from nodes
    union select chain, shop, node, node_path from node_certificates
    union select chain, shop, node, node_path from node_invitations
) as named
left join nodes using (node_path, chain, shop, node)
left join lateral (
    select issued_at, ends_at, revoked_at from node_certificates
    where node_certificates.node_path = named.node_path
    order by revoked_at is not null, issued_at desc limit 1
) as certificate on true
left join lateral (
    select max(ends_at) as ends_at from node_invitations
    where node_invitations.node_path = named.node_path and used_at is null and ends_at > %(now)s
) as invitation on true
where (%(shops)s::text[] is null or shop = any(%(shops)s))
order by shop, node;
