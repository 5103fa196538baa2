"""What becomes of each message is decided by the address, the key and the rules alone."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ingest.sorting import Known, Offset, Plan, advance, decide, offset_of, with_storable_keys
from storepulse.checklists import Checklist
from storepulse.events import (
    ActionMarked,
    ChecklistMade,
    DealMade,
    Event,
    ItemMarked,
    NumbersMerged,
    ReceptionTapped,
)
from storepulse.facts import Fact
from storepulse.topics import Address
from storepulse.wire import Clock, Key, Message, NodeState, Refused

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
OURS = Address("acme", "17", "node-1")
SET = Clock(boot="b", monotonic_s=100.0, synchronised=True)
UNSET = Clock(boot="b", monotonic_s=100.0, synchronised=False)


def fact(**changes: object) -> Fact:
    given: dict[str, object] = {
        "id": "f1", "shop": "17", "metric": "dwell_mean", "start": NOON,
        "end": NOON + timedelta(minutes=15), "value": 2.4, "low": 2.1, "high": 2.8,
        "source": OURS.path,
    }  # fmt: skip
    return Fact(**(given | changes))  # type: ignore[arg-type]


def checklist(shop: str) -> Checklist:
    return Checklist(
        id="c1", shop=shop, bay="b1", photo="p", planogram="g", planogram_version=1,
        made_at=NOON, items=(),
    )  # fmt: skip


def said(
    body: Fact | Event, number: int = 1, *, node: str = "node-1", clock: Clock = SET
) -> Message:
    return Message(
        key=Key(node=node, epoch="e", number=number), said_at=NOON, clock=clock, body=body
    )


def plan_of(*messages: Message | Refused, known: Known | None = None) -> Plan:
    return decide(OURS, messages, known or Known(), received_at=NOON)


def test_a_good_fact_is_kept_under_its_key() -> None:
    plan = plan_of(said(fact()))
    assert [body for _, body in plan.facts] == [fact()]
    assert list(plan.keys) == [("e", 1)]
    assert plan.quarantined == []


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        pytest.param(said(fact(), node="node-2"), "the key names node 'node-2'", id="other node"),
        pytest.param(said(fact(shop="18")), "about shop '18'", id="other shop"),
        pytest.param(
            said(fact(source="/storepulse/acme/18/node-1")), "as its source", id="other source"
        ),
        pytest.param(
            said(fact(source="/storepulse/acme/17/node-11")), "as its source", id="longer name"
        ),
        pytest.param(said(ChecklistMade(checklist=checklist("18"))), "shop '18'", id="checklist"),
        pytest.param(
            said(ActionMarked(action="a", event="opened", at=NOON)), "no action", id="no action"
        ),
        pytest.param(said(fact(metric="dwell")), "unknown metric 'dwell'", id="unknown metric"),
        pytest.param(said(fact(low=None, high=None)), "needs low and high", id="no interval"),
        pytest.param(
            said(fact(metric="bounce_45s", value=1.2, low=1.1, high=1.3)), "0 to 1", id="share"
        ),
        pytest.param(
            said(fact(metric="visitors", value=-1, low=-2, high=0)), "no sense", id="negative count"
        ),
        pytest.param(said(fact(id="a\0b")), "NUL", id="nul"),
        pytest.param(said(fact(dims={"bay": "\ud800"})), "surrogate", id="half a surrogate pair"),
        pytest.param(said(fact(start=NOON.replace(year=1970))), "years", id="a clock at zero"),
        pytest.param(said(fact(n=2**70)), "at most", id="n beyond a bigint"),
        pytest.param(said(ReceptionTapped(id="x" * 300, at=NOON)), "characters", id="long id"),
        pytest.param(said(ReceptionTapped(id="", at=NOON)), "characters", id="empty id"),
        pytest.param(
            said(DealMade(id="d", at=NOON, amount=float("inf"))), "finite", id="endless amount"
        ),
        pytest.param(
            said(ItemMarked(checklist="c", item="i", state="done", at=NOON, reason="\0")), "NUL",
            id="nul in a reason",
        ),
        pytest.param(said(NumbersMerged(first=1, last=2**63)), "range", id="endless tombstone"),
        pytest.param(
            said(ReceptionTapped(id="r", at=datetime(1, 1, 5, tzinfo=UTC))), "years",
            id="a tap of the year 1",
        ),
        pytest.param(
            said(fact(), clock=Clock(boot="b", monotonic_s=float("nan"), synchronised=True)),
            "monotonic", id="no time",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_goes_to_quarantine_and_counts_as_stored(
    message: Message, reason: str
) -> None:
    plan = plan_of(message)
    (aside,) = plan.quarantined
    assert reason in aside.reason
    assert list(plan.keys) == [("e", 1)]
    assert (plan.facts, plan.events, plan.waiting, plan.merged) == ([], [], [], [])
    json.loads(aside.raw)
    assert "\0" not in aside.raw
    aside.raw.encode()


@pytest.mark.parametrize(
    "good",
    [
        pytest.param(fact(value=None, low=None, high=None), id="unknown needs no interval"),
        pytest.param(fact(metric="receptions", low=None, high=None), id="counted needs none"),
        pytest.param(fact(metric="temperature", value=-12, low=-12, high=-12), id="frost"),
        pytest.param(fact(source="till"), id="a feed that the node passes on"),
        pytest.param(fact(source=f"{OURS.path}/camera"), id="a part of the node"),
    ],
)
def test_what_makes_sense_is_taken(good: Fact) -> None:
    assert [body for _, body in plan_of(said(good)).facts] == [good]


def test_a_fact_without_a_source_is_the_nodes() -> None:
    ((_, kept),) = plan_of(said(fact(source="unstated"))).facts
    assert kept.source == OURS.path


def test_a_message_that_could_not_be_read_is_kept_in_full() -> None:
    raw = json.dumps({"type": "storepulse.unheard.v1", "data": {"text": "a\0\ud800"}})
    refused = Refused(key=Key(node="node-1", epoch="e", number=7), reason="unknown", raw=raw)
    plan = plan_of(refused)
    assert [(one.reason, one.raw) for one in plan.quarantined] == [("unknown", raw)]
    assert list(plan.keys) == [("e", 7)]


def test_a_key_said_again_is_nothing_new() -> None:
    first = plan_of(said(fact()))
    again = plan_of(said(fact()), known=Known(contents=first.keys))
    assert (again.repeated, again.keys, again.facts, again.alarms) == (1, {}, [], [])
    twice = plan_of(said(fact()), said(fact()))
    assert (twice.repeated, len(twice.facts)) == (1, 1)


def test_the_same_key_with_other_content_raises_an_alarm_and_the_first_stays() -> None:
    first = plan_of(said(fact()))
    other = plan_of(said(fact(value=2.5)), known=Known(contents=first.keys))
    assert [alarm.kind for alarm in other.alarms] == ["same key, other content"]
    assert (other.keys, other.facts) == ({}, [])


def test_when_a_message_was_sent_is_no_part_of_its_content() -> None:
    first = plan_of(said(fact()))
    later = Clock(boot="b2", monotonic_s=5.0, synchronised=True)
    again = plan_of(said(fact(), clock=later), known=Known(contents=first.keys))
    assert (again.repeated, again.alarms) == (1, [])


def test_a_merged_number_is_not_counted_twice() -> None:
    plan = plan_of(said(NumbersMerged(first=1, last=3), 1), said(fact(), 2))
    assert plan.merged == [("e", 1, 3)]
    assert [one.key.number for one in plan.quarantined] == [2]
    known = Known(merged={"e": [(1, 3)]})
    assert [one.key.number for one in plan_of(said(fact(), 3), known=known).quarantined] == [3]
    assert len(plan_of(said(fact(), 4), known=known).facts) == 1


def test_a_tombstone_may_carry_the_first_number_of_its_own_run() -> None:
    plan = plan_of(said(NumbersMerged(first=2, last=4), 2))
    assert (plan.merged, plan.quarantined) == ([("e", 2, 4)], [])


def test_a_key_that_no_table_can_hold_is_left_out_with_an_alarm() -> None:
    bad = Refused(key=Key(node="node-1", epoch="e\0", number=1), reason="", raw="{}")
    kept, alarms = with_storable_keys([bad, said(fact())])
    assert kept == [said(fact())]
    assert [alarm.kind for alarm in alarms] == ["unreadable key"]


# --- time ---


def test_under_an_unset_clock_a_fact_waits() -> None:
    plan = plan_of(said(fact(), clock=UNSET))
    assert plan.facts == []
    assert [one.body for one in plan.waiting] == [fact()]
    assert list(plan.keys) == [("e", 1)]


def test_with_a_known_offset_it_is_moved_to_its_true_time() -> None:
    # Said at monotonic 100 s, which was 14:00; the node's wall clock said 12:00.
    offset = Offset(NOON.timestamp() + 7200 - 100, exact=False)
    ((_, kept),) = plan_of(said(fact(), clock=UNSET), known=Known(offsets={"b": offset})).facts
    assert (kept.start, kept.end) == (
        NOON + timedelta(hours=2), NOON + timedelta(hours=2, minutes=15),
    )  # fmt: skip


def test_a_synchronised_message_of_the_same_boot_tells_the_offset() -> None:
    later = Clock(boot="b", monotonic_s=160.0, synchronised=True)
    plan = plan_of(
        said(fact(id="early"), 1, clock=UNSET),
        Message(
            key=Key(node="node-1", epoch="e", number=2),
            said_at=NOON + timedelta(hours=3, seconds=60),
            clock=later,
            body=fact(id="late"),
        ),
    )
    starts = {kept.id: kept.start for _, kept in plan.facts}
    assert starts == {"early": NOON + timedelta(hours=3), "late": NOON}
    assert plan.offsets["b"].exact


def test_an_offset_of_another_boot_says_nothing() -> None:
    known = Known(offsets={"other": Offset(0.0, exact=True)})
    assert len(plan_of(said(fact(), clock=UNSET), known=known).waiting) == 1


def test_taps_wait_and_marks_do_not() -> None:
    plan = plan_of(
        said(ReceptionTapped(id="r", at=NOON - timedelta(days=9000)), 1, clock=UNSET),
        said(
            ItemMarked(checklist="c", item="i", state="done", at=NOON - timedelta(days=9000)), 2,
            clock=UNSET,
        ),
    )  # fmt: skip
    assert [one.key.number for one in plan.waiting] == [1]
    ((_, at, event),) = plan.events
    assert at == NOON
    assert isinstance(event, ItemMarked)
    assert event.at == NOON


@pytest.mark.parametrize("seconds", [1e300, -1e300, 1e12, 5e11])
def test_an_offset_outside_the_calendar_is_no_crash(seconds: float) -> None:
    known = Known(offsets={"b": Offset(seconds, exact=False)})
    assert len(plan_of(said(fact(), clock=UNSET), known=known).quarantined) == 1


def test_a_tap_that_is_moved_out_of_all_years_is_kept_aside() -> None:
    known = Known(offsets={"b": Offset(-3e9, exact=False)})
    plan = plan_of(said(ReceptionTapped(id="r", at=NOON), clock=UNSET), known=known)
    assert ["years" in one.reason for one in plan.quarantined] == [True]
    assert plan.events == []


def test_the_moment_of_receipt_stands_for_a_clock_that_is_not_set() -> None:
    state = NodeState(online=True, clock=UNSET, at=NOON - timedelta(days=9000))
    assert offset_of(state, received_at=NOON) == ("b", Offset(NOON.timestamp() - 100, exact=False))


def test_a_set_clock_is_believed_rather_than_the_moment_of_receipt() -> None:
    state = NodeState(online=True, clock=SET, at=NOON)
    late = NOON + timedelta(seconds=30)
    assert offset_of(state, received_at=late) == ("b", Offset(NOON.timestamp() - 100, exact=True))


def test_a_last_will_says_nothing_of_clocks() -> None:
    assert offset_of(NodeState(online=False), received_at=NOON) is None


# --- how far a stream is complete ---


@given(
    stored=st.sets(st.integers(1, 30)),
    ranges=st.lists(st.tuples(st.integers(1, 30), st.integers(0, 5)), max_size=4),
    through=st.integers(0, 10),
)
def test_through_is_the_highest_number_below_which_nothing_is_missing(
    stored: set[int], ranges: list[tuple[int, int]], through: int
) -> None:
    merged = [(first, first + length) for first, length in ranges]
    held = stored | set(range(1, through + 1))
    for first, last in merged:
        held |= set(range(first, last + 1))
    expected = next(number for number in range(0, 50) if number + 1 not in held)
    above = [number for number in stored if number > through]
    assert advance(through, above, merged) == expected
