select boot, offset_s, exact from boots
where node_path = %(node_path)s and boot = any(%(boots)s);
