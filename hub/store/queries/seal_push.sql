update push_subscriptions set sealed = %(sealed)s where id = %(id)s;
