select metric, days from kept_days order by metric;
