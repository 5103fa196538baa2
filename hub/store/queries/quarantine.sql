select id, node_path, epoch, number, reason, raw, received_at
from quarantine order by id desc limit %(limit)s;
