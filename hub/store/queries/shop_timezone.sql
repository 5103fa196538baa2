select timezone from shops where shop = %(shop)s;
