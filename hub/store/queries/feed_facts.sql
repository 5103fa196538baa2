select series, version, sha256 from feed_facts where series = any(%(series)s);
