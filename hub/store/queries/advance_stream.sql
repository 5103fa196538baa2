update streams set through = %(through)s where stream = %(stream)s and through < %(through)s;
