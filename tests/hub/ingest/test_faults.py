"""A node that says much that is wrong gets it counted, and fills no disk."""

from datetime import timedelta
from typing import Any

import pytest

from hub.ingest import faults
from hub.ingest.batches import Heard, note_unreadable, store_batches
from hub.ingest.faults import insert_quarantined, raise_alarms, remove_old_faults
from hub.ingest.sorting import Alarm, Quarantined
from hub.store.database import Database
from storepulse.wire import Key, Refused
from tests.hub.ingest.test_many_nodes import NOON, ONE, TWO, count

HOUR = timedelta(hours=1)


def counting(database: Database) -> list[dict[str, Any]]:
    with database.connection() as connection:
        return connection.execute(
            "select node_path, detail from alarms where kind = 'too many faults' order by id"
        ).fetchall()


def refused(first: int, many: int, raw: str = "{") -> Heard:
    keys = [Key(node="n1", epoch="e", number=first + n) for n in range(many)]
    return Heard(ONE, [Refused(key=key, reason="no JSON", raw=raw) for key in keys])


def test_beyond_the_budget_of_an_hour_alarms_are_counted_in_one(database: Database) -> None:
    for n in range(faults.ALARMS_MAX + 30):
        note_unreadable(database, ONE.path, f"no batch {n}", received_at=NOON)
    note_unreadable(database, TWO.path, "no batch", received_at=NOON)
    assert count(database, "alarms") == faults.ALARMS_MAX + 2
    (told,) = counting(database)
    assert told["node_path"] == ONE.path
    assert "30 alarms and 0 refused messages" in told["detail"]
    note_unreadable(database, ONE.path, "the next hour", received_at=NOON + HOUR)
    assert count(database, "alarms") == faults.ALARMS_MAX + 3


def test_what_is_not_kept_aside_is_acknowledged_all_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "QUARANTINED_MAX", 5)
    outcome = store_batches(database, [refused(1, 8)], received_at=NOON)[ONE]
    assert outcome.acknowledgements[0].through == 8  # type: ignore[union-attr]
    assert (count(database, "quarantine"), count(database, "messages")) == (5, 8)
    store_batches(database, [refused(9, 2)], received_at=NOON)
    (told,) = counting(database)
    assert "0 alarms and 5 refused messages" in told["detail"]


def test_large_messages_use_the_budget_up_sooner(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "QUARANTINED_BYTES_MAX", 100)
    store_batches(database, [refused(1, 4, raw="é" * 30)], received_at=NOON)
    assert count(database, "quarantine") == 2
    store_batches(database, [refused(5, 4)], received_at=NOON + HOUR)
    assert count(database, "quarantine") == 6


def test_old_faults_are_removed_and_younger_ones_stay(database: Database) -> None:
    def fault(at: Any) -> None:
        with database.connection() as connection:
            one = Quarantined(Key(node="n1", epoch="e", number=1), "no JSON", "{")
            insert_quarantined(connection, ONE, [one], received_at=at)
            raise_alarms(connection, ONE.path, [Alarm("unreadable batch", "no zstd")], at=at)

    fault(NOON)
    fault(NOON + 2 * HOUR)
    tables = ("quarantine", "alarms", "faults_of_hour")
    assert remove_old_faults(database, now=NOON + faults.QUARANTINE_KEPT) == 0
    for kept, left in ((faults.QUARANTINE_KEPT, (1, 2, 2)), (faults.ALARMS_KEPT, (0, 1, 1))):
        remove_old_faults(database, now=NOON + kept + HOUR)
        assert tuple(count(database, table) for table in tables) == left
