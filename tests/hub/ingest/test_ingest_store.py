"""A batch is stored in one transaction, each key once, and acknowledged as far as it is whole."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.actions.store import NewAction, actions, insert_actions, moves_of
from hub.ingest.batches import Stored, note_state, store_batch
from hub.ingest.facts_store import facts_of_days
from hub.shops_store import nodes, shops
from hub.store.database import Database
from hub.taps.store import (
    checklists,
    deals,
    experiences,
    items_of,
    open_experiences,
    receptions,
)
from storepulse.actions import Action
from storepulse.checklists import Checklist, ChecklistItem, Sentence
from storepulse.events import (
    ActionMarked,
    ChecklistMade,
    DealMade,
    Event,
    ExperienceBegun,
    ItemMarked,
    NumbersMerged,
    ReceptionTapped,
    TapUndone,
)
from storepulse.facts import Fact
from storepulse.topics import Address
from storepulse.wire import Acknowledgement, Clock, Key, Message, NodeState, Refused

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = NOON.date()
OURS = Address("acme", "17", "node-1")
SET = Clock(boot="b", monotonic_s=100.0, synchronised=True)
UNSET = Clock(boot="b", monotonic_s=100.0, synchronised=False)
WEEK = (NOON - timedelta(days=7), NOON + timedelta(days=7))


def fact(name: str = "f1", **changes: object) -> Fact:
    given: dict[str, object] = {
        "id": name, "shop": "17", "metric": "dwell_mean", "start": NOON,
        "end": NOON + timedelta(minutes=15), "value": 2.4, "low": 2.1, "high": 2.8,
        "source": OURS.path,
    }  # fmt: skip
    return Fact(**(given | changes))  # type: ignore[arg-type]


def said(body: Fact | Event, number: int = 1, *, clock: Clock = SET, epoch: str = "e") -> Message:
    key = Key(node="node-1", epoch=epoch, number=number)
    return Message(key=key, said_at=NOON, clock=clock, body=body)


def store(database: Database, *messages: Message | Refused, address: Address = OURS) -> Stored:
    return store_batch(database, address, messages, received_at=NOON)


def facts(database: Database, first: date = DAY, last: date = DAY) -> list[Fact]:
    with database.connection() as connection:
        return [one.fact for one in facts_of_days(connection, first, last)]


def rows(database: Database, query: str) -> list[dict[str, Any]]:
    with database.connection() as connection:
        return connection.execute(query).fetchall()


def checklist(**changes: Any) -> Checklist:
    item = ChecklistItem(
        id="i1", kind="missing", sentence=Sentence("en", "zh"), box_xyxy_px=(0, 0, 1, 1),
        confidence=0.9,
    )  # fmt: skip
    made = Checklist(
        id="c1", shop="17", bay="b1", photo="p", planogram="g", planogram_version=1,
        made_at=NOON, items=(item, replace(item, id="i2")),
    )  # fmt: skip
    return replace(made, **changes)


def action(name: str = "a1", **changes: Any) -> Action:
    given: dict[str, Any] = {
        "id": name, "shop": "17", "kind": "correction_checklist", "dimension": "goods",
        "day": "2026-11-20", "title": Sentence("t", "t"), "text": Sentence("x", "x"),
        "reason": "r", "created_at": NOON, "due_at": NOON + timedelta(days=1),
    }  # fmt: skip
    return Action(**(given | changes))


def test_a_batch_is_stored_and_acknowledged(database: Database) -> None:
    done = store(database, said(fact("a"), 1), said(fact("b"), 2))
    assert done.acknowledgements == [Acknowledgement(epoch="e", through=2)]
    assert (done.new, done.repeated) == (2, 0)
    assert facts(database) == [fact("a"), fact("b")]
    with database.connection() as connection:
        assert [one.address for one in nodes(connection)] == [OURS]
        assert [(one.shop, one.assigned) for one in shops(connection)] == [("17", False)]


def test_a_batch_said_again_is_acknowledged_again_and_stored_once(database: Database) -> None:
    store(database, said(fact()))
    again = store(database, said(fact()))
    assert again.acknowledgements == [Acknowledgement(epoch="e", through=1)]
    assert (again.new, again.repeated) == (0, 1)
    assert facts(database) == [fact()]


def test_what_follows_a_gap_is_kept_but_not_acknowledged(database: Database) -> None:
    done = store(database, said(fact("a"), 1), said(fact("c"), 3))
    assert done.acknowledgements == [Acknowledgement(epoch="e", through=1)]
    done = store(database, said(fact("b"), 2))
    assert done.acknowledgements == [Acknowledgement(epoch="e", through=3)]


def test_a_tombstone_closes_its_gap(database: Database) -> None:
    done = store(database, said(NumbersMerged(first=1, last=40), 1), said(fact(), 41))
    assert done.acknowledgements == [Acknowledgement(epoch="e", through=41)]
    # Later batches build on it.
    assert store(database, said(fact("b"), 42)).acknowledgements[0].through == 42


def test_quarantined_messages_leave_no_gap(database: Database) -> None:
    unread = Refused(key=Key(node="node-1", epoch="e", number=2), reason="why", raw='{"a": "\0"}')
    done = store(database, said(fact("a", metric="dwell")), unread, said(fact("b"), 3))
    assert done.acknowledgements == [Acknowledgement(epoch="e", through=3)]
    kept = rows(database, "select number, reason, raw from quarantine order by number")
    assert [row["number"] for row in kept] == [1, 2]
    assert "unknown metric" in kept[0]["reason"]
    assert facts(database) == [fact("b")]


def test_each_life_of_an_outbox_counts_for_itself(database: Database) -> None:
    done = store(database, said(fact("a"), 1, epoch="e1"), said(fact("b"), 1, epoch="e2"))
    assert {ack.epoch: ack.through for ack in done.acknowledgements} == {"e1": 1, "e2": 1}


def test_two_nodes_with_the_same_epoch_do_not_meet(database: Database) -> None:
    store(database, said(fact("a")))
    other = Address("acme", "18", "node-1")
    mine = fact("b", shop="18", source=other.path)
    assert store(database, said(mine), address=other).new == 1


def test_another_content_under_a_known_key_raises_an_alarm(database: Database) -> None:
    store(database, said(fact()))
    done = store(database, said(fact(value=2.5)))
    assert done.acknowledgements == [Acknowledgement(epoch="e", through=1)]
    (alarm,) = rows(database, "select kind, node_path from alarms")
    assert alarm == {"kind": "same key, other content", "node_path": OURS.path}
    assert facts(database) == [fact()]


def test_a_fact_id_that_is_taken_raises_an_alarm(database: Database) -> None:
    store(database, said(fact()))
    done = store(database, said(fact(value=2.5), 2))
    assert done.acknowledgements[0].through == 2
    assert [alarm.kind for alarm in done.alarms] == ["same fact id, other content"]
    assert "taken" in done.quarantined[0].reason
    assert facts(database) == [fact()]


def test_a_value_that_only_the_database_refuses_holds_up_nobody(database: Database) -> None:
    # A rule of ours refuses a year that no tap is of; what is too big the database alone refuses.
    far = ReceptionTapped(id="r", at=datetime.max.replace(tzinfo=UTC))
    too_big = checklist(planogram_version=2**80)
    done = store(
        database, said(fact("a"), 1), said(ChecklistMade(checklist=too_big), 2), said(far, 3),
        said(fact("b"), 4),
    )  # fmt: skip
    assert done.acknowledgements == [Acknowledgement(epoch="e", through=4)]
    assert [one.key.number for one in done.quarantined] == [2, 3]
    assert "not storable" in done.quarantined[0].reason
    assert facts(database) == [fact("a"), fact("b")]


@given(order=st.permutations(range(1, 9)), cuts=st.sets(st.integers(1, 7)))
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_in_whatever_order_and_how_often_batches_come_each_fact_is_there_once(
    database: Database, order: Sequence[int], cuts: set[int]
) -> None:
    with database.connection() as connection:
        connection.execute("truncate facts, fact_ids, messages, streams cascade")
    bounds = [0, *sorted(cuts), len(order)]
    for first, last in pairwise(bounds):
        batch = [said(fact(f"f{number}"), number) for number in order[first:last]]
        store(database, *batch)
        done = store(database, *batch, *batch)
    assert done.acknowledgements == [Acknowledgement(epoch="e", through=8)]
    assert [one.id for one in facts(database)] == [f"f{number}" for number in range(1, 9)]


# --- clocks that are not set ---


def test_facts_of_an_unset_clock_are_in_no_day_until_the_node_reconnects(
    database: Database,
) -> None:
    wrong = datetime(2020, 1, 1, tzinfo=UTC)
    told = fact(start=wrong, end=wrong + timedelta(minutes=15))
    message = replace(said(told, clock=UNSET), said_at=wrong + timedelta(minutes=20))
    done = store(database, message)
    assert done.acknowledgements == [Acknowledgement(epoch="e", through=1)]
    assert (done.waiting, facts(database, date(2019, 1, 1), date(2030, 1, 1))) == (1, [])
    clock = replace(UNSET, monotonic_s=100 + 3600)
    state = NodeState(online=True, clock=clock, at=wrong + timedelta(minutes=80))
    note_state(database, OURS, state, received_at=NOON, retained=False)
    # Said an hour before noon; its window ended five minutes before that.
    start = NOON - timedelta(hours=1, minutes=20)
    assert facts(database) == [replace(told, start=start, end=start + timedelta(minutes=15))]
    assert rows(database, "select * from facts_untimed") == []


def test_a_retained_state_says_nothing_about_time(database: Database) -> None:
    store(database, said(fact(), clock=UNSET))
    state = NodeState(online=True, clock=UNSET)
    note_state(database, OURS, state, received_at=NOON, retained=True)
    assert facts(database) == []
    with database.connection() as connection:
        assert nodes(connection)[0].online is True


def test_waiting_facts_and_taps_move_when_the_clock_is_set(database: Database) -> None:
    tap = ReceptionTapped(id="r", at=NOON)
    store(database, said(fact(), 1, clock=UNSET), said(tap, 2, clock=UNSET))
    later = Clock(boot="b", monotonic_s=160.0, synchronised=True)
    message = replace(
        said(fact("late"), 3, clock=later), said_at=NOON + timedelta(hours=5, seconds=60)
    )
    done = store(database, message)
    assert done.retimed == 2
    assert {one.id: one.start for one in facts(database)} == {
        "f1": NOON + timedelta(hours=5),
        "late": NOON,
    }
    with database.connection() as connection:
        assert [one.at for one in receptions(connection, *WEEK)] == [NOON + timedelta(hours=5)]


def test_the_nodes_own_set_clock_beats_the_moment_of_receipt(database: Database) -> None:
    note_state(
        database, OURS, NodeState(online=True, clock=UNSET), received_at=NOON, retained=False
    )
    exact = NodeState(online=True, clock=SET, at=NOON - timedelta(seconds=9))
    note_state(database, OURS, exact, received_at=NOON, retained=False)
    late = NodeState(online=True, clock=UNSET)
    note_state(database, OURS, late, received_at=NOON - timedelta(days=1), retained=False)
    (boot,) = rows(database, "select offset_s, exact from boots")
    assert boot == {"offset_s": NOON.timestamp() - 109, "exact": True}


def test_a_time_that_no_calendar_has_is_quarantined_when_it_is_moved(database: Database) -> None:
    store(database, said(fact(), clock=replace(UNSET, monotonic_s=1e300)))
    note_state(
        database, OURS, NodeState(online=True, clock=UNSET), received_at=NOON, retained=False
    )
    assert facts(database) == []
    assert len(rows(database, "select * from quarantine")) == 1


# --- events ---


def test_taps_are_stored_and_an_undone_one_is_left_out(database: Database) -> None:
    store(
        database,
        said(ReceptionTapped(id="r1", at=NOON), 1),
        said(ReceptionTapped(id="r2", at=NOON), 2),
        said(ExperienceBegun(ticket="t1", at=NOON), 3),
        said(ExperienceBegun(ticket="t2", at=NOON), 4),
        said(DealMade(id="d1", at=NOON, ticket="t1", amount=120.0), 5),
        said(DealMade(id="d2", at=NOON), 6),
        said(TapUndone(tap="r2", at=NOON), 7),
    )
    with database.connection() as connection:
        assert [one.id for one in receptions(connection, *WEEK)] == ["r1"]
        assert [one.ticket for one in experiences(connection, *WEEK)] == ["t1", "t2"]
        assert [one.ticket for one in open_experiences(connection, *WEEK)] == ["t2"]
        assert [(one.ticket, one.amount) for one in deals(connection, *WEEK)] == [
            ("t1", 120.0), (None, None),
        ]  # fmt: skip
    store(database, said(TapUndone(tap="d1", at=NOON), 8), said(TapUndone(tap="t2", at=NOON), 9))
    with database.connection() as connection:
        assert [one.ticket for one in open_experiences(connection, *WEEK)] == ["t1"]


def test_an_undo_that_arrives_before_its_tap_still_counts(database: Database) -> None:
    store(database, said(TapUndone(tap="r", at=NOON), 2))
    store(database, said(ReceptionTapped(id="r", at=NOON), 1))
    with database.connection() as connection:
        assert receptions(connection, *WEEK) == []


def test_a_checklist_and_its_marks_in_either_order(database: Database) -> None:
    mark = ItemMarked(checklist="c1", item="i1", state="done", at=NOON + timedelta(minutes=5))
    store(database, said(mark, 2))
    store(database, said(ChecklistMade(checklist=checklist()), 1))
    older = replace(mark, state="cannot_do", at=NOON + timedelta(minutes=1))
    store(database, said(older, 3))
    with database.connection() as connection:
        assert checklists(connection, *WEEK) == [checklist()]
        assert [(one.item, one.state) for one in items_of(connection, "17", "c1")] == [
            ("i1", "done"), ("i2", "open"),
        ]  # fmt: skip


def test_no_shop_marks_the_items_of_another(database: Database) -> None:
    store(database, said(ChecklistMade(checklist=checklist())))
    other = Address("acme", "18", "node-1")
    mark = ItemMarked(checklist="c1", item="i1", state="done", at=NOON)
    store(database, said(mark), address=other)
    with database.connection() as connection:
        assert {one.state for one in items_of(connection, "17", "c1")} == {"open"}


def test_a_receipt_delivers_an_action_and_a_tick_does_it(database: Database) -> None:
    store(database, said(ChecklistMade(checklist=checklist())))
    with database.connection() as connection:
        insert_actions(connection, [NewAction(action=action(checklist="c1"))])
    marks = [
        ActionMarked(action="a1", event="receipt_stored", at=NOON),
        ActionMarked(action="a1", event="opened", at=NOON),
        ActionMarked(action="a1", event="opened", at=NOON),
        ActionMarked(action="a1", event="ticked", at=NOON, reason="all there"),
    ]
    store(database, *(said(mark, number) for number, mark in enumerate(marks, start=2)))
    with database.connection() as connection:
        (held,) = actions(connection)
        assert (held.state, held.delivered_at, held.node_path) == ("done", NOON, OURS.path)
        assert [(one.from_state, one.to_state) for one in moves_of(connection, "a1")] == [
            ("pushed", "delivered"), ("delivered", "seen"), ("seen", "done"),
        ]  # fmt: skip


def test_no_node_marks_the_action_of_another_shop(database: Database) -> None:
    store(database, said(fact()))
    with database.connection() as connection:
        insert_actions(connection, [NewAction(action=action())])
    other = Address("acme", "18", "node-1")
    mark = ActionMarked(action="a1", event="ticked", at=NOON)
    done = store(database, said(mark), address=other)
    assert "no action" in done.quarantined[0].reason
    with database.connection() as connection:
        assert actions(connection)[0].state == "pushed"


def test_a_node_that_comes_back_is_told_where_its_streams_stand(database: Database) -> None:
    store(database, said(fact("a"), 1), said(fact("b"), 2))
    told = note_state(database, OURS, NodeState(online=True), received_at=NOON, retained=True)
    assert told == [Acknowledgement(epoch="e", through=2)]
    gone = NodeState(online=False)
    assert note_state(database, OURS, gone, received_at=NOON, retained=False) == []


@pytest.mark.parametrize("workers", [4])
def test_workers_that_store_the_same_batch_at_once_store_it_once(
    database: Database, workers: int
) -> None:
    batch = [said(fact(f"f{number}"), number) for number in range(1, 51)]
    with ThreadPoolExecutor(workers) as pool:
        done = list(pool.map(lambda _: store(database, *batch), range(workers)))
    assert sum(one.new for one in done) == 50
    assert {one.acknowledgements[0].through for one in done} == {50}
    assert len(facts(database)) == 50
