delete from feed_aside where feed = %(feed)s and sha256 = any(%(sha256)s);
