delete from feed_deliveries where at < %(until)s;
