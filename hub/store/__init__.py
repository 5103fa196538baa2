"""The store: PostgreSQL, opened and migrated; one question a file in `queries`. Decides nothing."""
