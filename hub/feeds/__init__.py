"""Feeds: what tills, queues, screens, rotas, weather and calendars say becomes taps and facts."""
