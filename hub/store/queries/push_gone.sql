delete from push_subscriptions where id = %(id)s;
