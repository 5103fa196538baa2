-- A node that keeps a later configuration than ours was told by a hub that this one is an older copy
-- of: counting goes on from there, else the node would take it for old.
update nodes
set online = %(online)s, last_state = %(state)s,
    config_told = case when %(online)s then %(config)s else config_told end,
    config_revision = case when %(online)s and %(config)s > config_revision
        then %(config)s + 1 else config_revision end
where node_path = %(node_path)s;
