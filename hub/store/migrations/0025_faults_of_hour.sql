-- What of a node's faults was kept in an hour, and what was only counted: it must not fill the disk.
create table faults_of_hour (
    node_path text not null,
    hour timestamptz not null,
    alarms bigint not null default 0,               -- kept
    quarantined bigint not null default 0,          -- kept
    quarantined_bytes bigint not null default 0,    -- kept
    alarms_over bigint not null default 0,          -- counted only
    quarantined_over bigint not null default 0,     -- counted only
    alarm bigint,                                   -- the one that tells these counts
    primary key (node_path, hour)
);
