select newest_code_day() as day;
