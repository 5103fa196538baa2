"""What an older hub refused is taken in by a newer one that understands it: once, and in place."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from hub.ingest import fact_rules
from hub.ingest.again import take_up_again
from hub.ingest.batches import Heard
from hub.metrics import CATALOGUE
from hub.store.database import Database
from storepulse.events import ReceptionTapped
from storepulse.facts import Fact
from storepulse.wire import Key, Message, Refused, encode_event
from tests.hub.ingest.test_many_nodes import NOON, ONE, count, said, store

LATER = NOON + timedelta(days=30)
METRIC = "steps_taken"
YEAR = timedelta(days=365)


def again(database: Database, version: str = "newer") -> int:
    return take_up_again(database, now=lambda: LATER, version=version)


def of_a_newer_node(first: int, many: int) -> Heard:
    """Facts of a metric that this hub does not know."""
    return said(1, first, many, metric=METRIC)


@pytest.fixture
def upgrade(monkeypatch: pytest.MonkeyPatch) -> "Upgrade":
    return Upgrade(monkeypatch)


class Upgrade:
    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch

    def __call__(self) -> None:
        """From now on the metric is known."""
        like = CATALOGUE[said(1, 0, 1).said[0].body.metric]  # type: ignore[union-attr]
        known = {**CATALOGUE, METRIC: replace(like, name=METRIC)}
        self._patch.setattr(fact_rules, "CATALOGUE", known)


def test_facts_of_a_newer_node_come_in_with_the_upgrade_of_the_hub(
    database: Database, upgrade: Upgrade
) -> None:
    outcome = store(database, of_a_newer_node(0, 3), said(1, 3, 2))
    assert outcome[ONE].acknowledgements[0].through == 5
    assert (count(database, "quarantine"), count(database, "facts")) == (3, 2)
    assert again(database, "as old") == 0
    upgrade()
    assert again(database, "as old") == 0  # it has been tried by this one
    assert again(database) == 3
    assert (count(database, "quarantine"), count(database, "facts")) == (0, 5)
    assert again(database, "newer still") == 0
    # Said again for want of an acknowledgement they are known, and no other content.
    repeated = store(database, of_a_newer_node(0, 3))[ONE]
    assert (repeated.repeated, repeated.new) == (3, 0)
    assert (count(database, "alarms"), count(database, "facts")) == (0, 5)
    with database.connection() as connection:
        (row,) = connection.execute("select messages, bytes from quarantine_of_node").fetchall()
    assert row == {"messages": 0, "bytes": 0}


def test_what_stays_refused_stays_and_what_cannot_be_read_too(
    database: Database, upgrade: Upgrade
) -> None:
    (other,) = of_a_newer_node(0, 1).said
    assert isinstance(other, Message)
    assert isinstance(other.body, Fact)
    refused = [
        replace(other, key=Key(node="another", epoch="e", number=1)),
        replace(other, key=Key(node="n1", epoch="e", number=2), body=replace(other.body, shop="x")),
        Refused(key=Key(node="n1", epoch="e", number=3), reason="no JSON", raw="{"),
        replace(
            other, key=Key(node="n1", epoch="e", number=4), body=replace(other.body, id="a\0b")
        ),
    ]
    store(database, Heard(ONE, refused))
    upgrade()
    assert again(database) == 0
    assert (count(database, "quarantine"), count(database, "facts")) == (4, 0)


def test_an_id_that_was_taken_meanwhile_is_not_stored_twice(
    database: Database, upgrade: Upgrade
) -> None:
    (refused,) = of_a_newer_node(0, 1).said
    (known,) = said(1, 7, 1).said
    assert isinstance(refused, Message)
    assert isinstance(refused.body, Fact)
    assert isinstance(known, Message)
    assert isinstance(known.body, Fact)
    store(database, Heard(ONE, [replace(known, body=replace(known.body, id=refused.body.id))]))
    store(database, Heard(ONE, [refused]))
    upgrade()
    again(database)
    assert (count(database, "facts"), count(database, "quarantine")) == (1, 1)
    assert again(database, "newer still") <= 1
    assert (count(database, "facts"), count(database, "quarantine")) == (1, 1)


def test_a_kind_of_event_that_an_older_hub_did_not_know_takes_its_effect(
    database: Database,
) -> None:
    (like,) = said(1, 0, 1).said
    assert isinstance(like, Message)
    tap = replace(like, body=ReceptionTapped(id="r1", at=NOON))
    event = encode_event(tap)
    store(
        database, Heard(ONE, [Refused(key=tap.key, reason="unknown type", raw=json.dumps(event))])
    )
    assert count(database, "receptions") == 0
    assert again(database) == 1
    assert (count(database, "receptions"), count(database, "events")) == (1, 1)


def test_facts_under_an_unsynchronised_clock_find_their_time_by_the_boot(
    database: Database, upgrade: Upgrade
) -> None:
    (wrong,) = of_a_newer_node(0, 1).said
    assert isinstance(wrong, Message)
    wrong = replace(
        wrong, clock=replace(wrong.clock, synchronised=False), said_at=wrong.said_at - YEAR
    )
    store(database, Heard(ONE, [wrong]), said(1, 1, 1))
    upgrade()
    assert again(database) == 1
    with database.connection() as connection:
        row = connection.execute(
            "select started_at from facts where metric = %s", [METRIC]
        ).fetchone()
    assert row is not None
    assert isinstance(wrong.body, Fact)
    assert row["started_at"] == wrong.body.start + YEAR
