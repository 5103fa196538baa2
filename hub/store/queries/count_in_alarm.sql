update alarms set detail = %(detail)s where id = %(alarm)s;
