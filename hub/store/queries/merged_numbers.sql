select stream, first, last from merged_numbers
where stream = any(%(streams)s)
order by stream, first;
