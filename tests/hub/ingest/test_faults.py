"""A node that says much that is wrong gets it counted, and fills no disk."""

from datetime import timedelta
from typing import Any

import pytest

from hub.ingest import faults
from hub.ingest.batches import Heard, Stored, note_unreadable, store_batches
from hub.ingest.faults import insert_quarantined, raise_alarms, remove_old_faults
from hub.ingest.sorting import Alarm, Quarantined
from hub.store.database import Database
from storepulse.wire import Key, Refused
from tests.hub.ingest.test_many_nodes import NOON, ONE, TWO, count, said

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
    assert "30 alarms of this node were only counted" in told["detail"]
    note_unreadable(database, ONE.path, "the next hour", received_at=NOON + HOUR)
    assert count(database, "alarms") == faults.ALARMS_MAX + 3


@pytest.fixture
def room_for_five(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "QUARANTINED_BYTES_MAX", 5 * 201)


@pytest.mark.usefixtures("room_for_five")
def test_what_is_refused_and_finds_no_room_stays_with_the_node(database: Database) -> None:
    outcome = store_batches(database, [refused(1, 8)], received_at=NOON)[ONE]
    assert isinstance(outcome, Stored)
    assert (outcome.let_go, outcome.acknowledgements[0].through) == (3, 5)
    assert (count(database, "quarantine"), count(database, "messages")) == (5, 5)
    # Said again it finds no room either, and nothing is answered: the node takes its time.
    again = store_batches(database, [refused(6, 3)], received_at=NOON + 9 * HOUR)[ONE]
    assert isinstance(again, Stored)
    assert (again.let_go, again.acknowledgements) == (3, [])
    told, _ = counting(database)
    assert "3 times a refused message was not taken" in told["detail"]
    # Another node has its own room, and what is understood needs none.
    outcomes = store_batches(database, [said(2, 0, 2), refused(6, 1)], received_at=NOON)
    assert [one.through for one in outcomes[TWO].acknowledgements] == [2]  # type: ignore[union-attr]


@pytest.mark.usefixtures("room_for_five")
def test_when_there_is_room_again_what_stayed_with_the_node_is_taken(database: Database) -> None:
    store_batches(database, [refused(1, 8)], received_at=NOON)
    remove_old_faults(database, now=NOON + faults.QUARANTINE_KEPT + HOUR)
    outcome = store_batches(database, [refused(6, 3)], received_at=NOON)[ONE]
    assert outcome.acknowledgements[0].through == 8  # type: ignore[union-attr]


def test_large_messages_use_the_room_up_sooner(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "QUARANTINED_BYTES_MAX", 500)
    store_batches(database, [refused(1, 4, raw="é" * 30)], received_at=NOON)
    assert count(database, "quarantine") == 2


def test_the_room_that_is_taken_is_counted_whatever_comes_and_goes(database: Database) -> None:
    store_batches(database, [refused(1, 4, raw="é" * 30)], received_at=NOON)
    with database.connection() as connection:
        connection.execute("delete from quarantine where number = 2")
        held = connection.execute("select messages, bytes from quarantine_of_node").fetchone()
    assert held == {"messages": 3, "bytes": 180}


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
    remove_old_faults(database, now=NOON + faults.ALARMS_KEPT + HOUR)
    assert tuple(count(database, table) for table in tables) == (1, 1, 1)
