update faults_of_hour
set alarms = %(alarms)s, quarantined = %(quarantined)s, quarantined_bytes = %(quarantined_bytes)s,
    alarms_over = %(alarms_over)s, quarantined_over = %(quarantined_over)s, alarm = %(alarm)s
where node_path = %(node_path)s and hour = %(hour)s;
