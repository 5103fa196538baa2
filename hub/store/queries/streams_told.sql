select node_path, epoch, through, messages, quarantined
from streams_told order by node_path, stream limit %(limit)s;
