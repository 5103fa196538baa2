insert into quarantine (node_path, epoch, number, reason, raw, received_at, tried_by)
values (%(node_path)s, %(epoch)s, %(number)s, %(reason)s, %(raw)s, %(received_at)s, %(tried_by)s);
