insert into quarantine (node_path, epoch, number, reason, raw, received_at)
values (%(node_path)s, %(epoch)s, %(number)s, %(reason)s, %(raw)s, %(received_at)s);
