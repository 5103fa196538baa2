select number from messages
where stream = %(stream)s and number > %(through)s
order by number;
