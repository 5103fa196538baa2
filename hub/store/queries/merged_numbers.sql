select stream, first, last from merged_numbers
where stream = any(%(streams)s) and last > %(above)s
order by stream, first;
