-- As the session that asks: the function gives its shops and no others.
select total, page from board_page(
    %(day)s, %(skip)s, %(at_most)s, %(region)s, %(format)s, %(colour)s, %(called)s
);
