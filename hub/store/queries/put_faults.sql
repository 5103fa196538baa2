update faults_of_hour
set alarms = %(alarms)s, alarms_over = %(alarms_over)s, let_go = %(let_go)s, alarm = %(alarm)s
where node_path = %(node_path)s and hour = %(hour)s;
