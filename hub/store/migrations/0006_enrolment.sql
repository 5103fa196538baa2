-- Who may come in: installers' codes, and the certificates that were given for them.

create table node_invitations (
    id bigint generated always as identity primary key,
    -- Of the code's secret, which is random: nothing can be guessed from it, so no salt.
    secret_sha256 bytea not null unique,
    node_path text not null,
    chain text not null,
    shop text not null,
    node text not null,
    made_at timestamptz not null,
    ends_at timestamptz not null,
    used_at timestamptz                       -- also set when the node is revoked meanwhile
);
create index node_invitations_by_node on node_invitations (node_path);

create table node_certificates (
    serial text primary key,                  -- hex
    node_path text not null,
    chain text not null,
    shop text not null,
    node text not null,
    given_for text not null check (given_for in ('code', 'renewal')),
    issued_at timestamptz not null,
    ends_at timestamptz not null,
    revoked_at timestamptz                    -- revoked, or replaced by one for a later code
);
create index node_certificates_by_node on node_certificates (node_path, issued_at);
