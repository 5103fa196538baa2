insert into quarantine_of_node (node_path, messages, bytes) values (%(node_path)s, 0, 0)
on conflict (node_path) do update set messages = quarantine_of_node.messages
returning messages, bytes;
