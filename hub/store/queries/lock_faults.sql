insert into faults_of_hour (node_path, hour) values (%(node_path)s, %(hour)s)
on conflict (node_path, hour) do update set hour = excluded.hour
returning alarms, alarms_over, let_go, alarm;
