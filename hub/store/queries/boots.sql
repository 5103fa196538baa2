select boots.node_path, boots.boot, offset_s, exact from boots
join unnest(%(node_paths)s::text[], %(boots)s::text[]) as asked (node_path, boot)
    using (node_path, boot);
