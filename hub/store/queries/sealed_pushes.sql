select id, sealed from push_subscriptions;
