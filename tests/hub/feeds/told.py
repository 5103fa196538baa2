"""What feeds have said, as the store has it."""

from datetime import UTC, datetime
from typing import Any

from hub.store.database import Database

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def facts(database: Database) -> list[dict[str, Any]]:
    with database.connection() as connection:
        return connection.execute(
            "select id, shop, metric, value, dims, started_at from facts order by metric, id"
        ).fetchall()
