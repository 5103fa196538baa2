select node, address, online, told from pairing_nodes
where shop = %(shop)s order by first_seen, node_path;
