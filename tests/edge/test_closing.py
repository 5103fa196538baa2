"""What a later photo shows as put right is closed on the node, told to the hub, and timed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from edge.checks import Checks
from edge.closing import LOOK_BACK, Closed, Closing
from edge.disk import Disk
from edge.judging import Judged
from edge.outbox import Outbox
from planograms.after import CELLS
from storepulse.checklists import Checklist, ChecklistItem, Sentence
from storepulse.errors import BadInput
from storepulse.events import ItemMarked
from storepulse.facts import Fact
from storepulse.topics import Address
from tests.edge.samples import NOON, StandingClock

ADDRESS = Address("chain", "shop-17", "node-1")
FIRST, LATER = bytes([10]) * CELLS * CELLS, bytes([200]) * CELLS * CELLS


def listed(**changes: Any) -> Checklist:
    items = tuple(
        ChecklistItem(
            id=name, kind="missing", sentence=Sentence("e", "z"), box_xyxy_px=(0, 0, 1, 1),
            confidence=0.9, positions=(name,),
        )
        for name in ("a", "b", "c")
    )  # fmt: skip
    made = Checklist(
        id="c1", shop="shop-17", bay="b1", photo="photo-1", planogram="plan", planogram_version=1,
        made_at=NOON - timedelta(minutes=12), items=items,
    )  # fmt: skip
    return replace(made, **changes)


def judged(signature: bytes = LATER, taken: str | None = None, **positions: str) -> Judged:
    return Judged(
        body={"planogram": {"id": "plan", "version": 1}}, checklist=None, facts=(),
        positions=positions, signature=signature, taken=taken,  # type: ignore[arg-type]
    )  # fmt: skip


class Node:
    def __init__(self, disk: Disk, outbox: Outbox, now: StandingClock) -> None:
        self.disk, self.outbox, self.now = disk, outbox, now
        self.checks = Checks(disk, outbox)
        self.closing = Closing(disk, outbox, self.checks, ADDRESS)
        with disk.transaction() as db:
            db.execute(
                "insert into photos (uuid, bay, sha256, received_at, signature, taken)"
                " values ('photo-1', 'b1', '', ?, ?, '2026:11:20 10:00:00')",
                (NOON.isoformat(), FIRST),
            )

    def close(self, seen: Judged) -> Closed:
        with self.disk.transaction():
            return self.closing.close("photo-2", "b1", seen, self.now())

    def states(self) -> dict[str, str]:
        return {mark.item: mark.state for mark in self.checks.one("c1").marks}


@pytest.fixture
def node(disk: Disk, outbox: Outbox, now: StandingClock) -> Node:
    return Node(disk, outbox, now)


def test_what_is_right_is_confirmed_timed_and_told_and_a_wrong_tick_is_reopened(
    node: Node,
) -> None:
    node.checks.keep(listed())
    node.checks.mark("c1", "b", "done", node.now(), uuid="1")
    closed = node.close(judged(a="ok", b="missing", c="unobserved"))
    assert closed == Closed(confirmed=1, reopened=1, minutes=12.0)
    assert node.states() == {"a": "confirmed", "b": "reopened"}
    said = [message.body for message in node.outbox.unacknowledged(0, 10)][1:]
    marks = {one.item: (one.state, one.by) for one in said if isinstance(one, ItemMarked)}
    assert marks == {"a": ("confirmed", "after_photo"), "b": ("reopened", "after_photo")}
    (fact,) = [one for one in said if isinstance(one, Fact)]
    assert (fact.metric, fact.value, fact.dims["bay"]) == ("fix_time", 12.0, "b1")
    assert node.close(judged(a="ok", b="missing")).confirmed == 0


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        pytest.param(judged(FIRST, a="ok"), "same_photo", id="the same photo again"),
        pytest.param(judged(taken="2026:11:20 09:00:00", a="ok"), "older_photo", id="an older one"),
    ],
)
def test_a_photo_that_shows_the_shelf_of_before_closes_nothing_and_says_so(
    node: Node, seen: Judged, why: str
) -> None:
    node.checks.keep(listed())
    assert node.close(seen) == Closed(nothing=why)  # type: ignore[arg-type]
    assert node.states() == {}
    assert node.outbox.unacknowledged(0, 10) == []


def test_a_photo_of_long_ago_again_closes_nothing_and_one_of_a_tripod_does(node: Node) -> None:
    node.checks.keep(listed())
    with node.disk.transaction() as db:
        db.execute(
            "insert into photos (uuid, bay, sha256, received_at, signature, taken)"
            " values ('photo-0', 'b1', '', ?, ?, '2026:11:19 10:00:00')",
            ((NOON - timedelta(days=9)).isoformat(), LATER),
        )
    assert node.close(judged(LATER, a="ok")) == Closed(nothing="same_photo")
    assert node.close(judged(LATER, "2026:11:20 10:05:00", a="ok")).confirmed == 1


def test_a_place_that_looks_as_before_closes_nothing_whatever_is_judged(node: Node) -> None:
    node.checks.keep(listed())
    seen = replace(judged(a="ok"), unchanged={"c1": frozenset({"a"})})
    assert node.close(seen) == Closed(nothing="unchanged")
    assert node.states() == {}
    seen = replace(judged(a="ok", b="ok"), unchanged={"c1": frozenset({"a"})})
    assert node.close(seen) == Closed(confirmed=1, minutes=12.0)
    assert node.states() == {"b": "confirmed"}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"bay": "b2"}, id="another bay"),
        pytest.param({"planogram_version": 2}, id="another version of the plan"),
        pytest.param({"made_at": NOON - LOOK_BACK - timedelta(hours=1)}, id="too long ago"),
        pytest.param({"photo": "photo-2"}, id="its own list"),
    ],
)
def test_lists_that_the_photo_says_nothing_of_stay(node: Node, other: dict[str, Any]) -> None:
    node.checks.keep(listed(**other))
    assert node.close(judged(a="ok", b="ok", c="ok")) == Closed()
    assert node.states() == {}


def test_what_rests_is_marked_on_new_lists_until_its_day_is_over(node: Node) -> None:
    today = [NOON.date()]
    checks = Checks(node.disk, node.outbox, today=lambda: today[0])
    tea = tuple(replace(item, sku="tea" if item.id != "c" else "milk") for item in listed().items)
    checks.keep(listed(items=tea))
    checks.mark("c1", "a", "cannot_do", node.now(), uuid="1", reason="delivery_due", rest_days=2)

    def new_list(name: str) -> dict[str, tuple[str, str]]:
        made = listed(id=name, items=tea)
        checks.keep(made)
        checks.let_rest(made, node.now())
        return {mark.item: (mark.state, mark.reason) for mark in checks.one(name).marks}

    rests = {"a": ("cannot_do", "delivery_due"), "b": ("cannot_do", "delivery_due")}
    assert new_list("c2") == rests
    today[0] = NOON.date() + timedelta(days=2)
    assert new_list("c3") == rests
    today[0] = NOON.date() + timedelta(days=3)
    assert new_list("c4") == {}
    # Any other word of a clerk's on the product ends it before its time.
    today[0] = NOON.date()
    checks.mark("c4", "b", "done", node.now(), uuid="2")
    assert new_list("c5") == {}
    told = [one.body for one in node.outbox.unacknowledged(0, 50)]
    by = [(one.by, one.until) for one in told if isinstance(one, ItemMarked)]
    last = NOON.date() + timedelta(days=2)
    assert by == [("clerk", last), *[("rest", last)] * 4, ("clerk", None)]


@pytest.mark.parametrize(
    "said",
    [
        {"state": "done", "reason": "x", "rest_days": 1},
        {"state": "cannot_do", "reason": "x", "rest_days": 32},
        {"state": "cannot_do", "reason": "x", "rest_days": -1},
        {"state": "cannot_do", "reason": "", "rest_days": 1},
    ],
)
def test_a_rest_that_cannot_be_is_refused_and_nothing_is_kept(
    node: Node, said: dict[str, Any]
) -> None:
    tea = tuple(replace(item, sku="tea") for item in listed().items)
    node.checks.keep(listed(items=tea))
    with pytest.raises(BadInput):
        node.checks.mark("c1", "a", moment=node.now(), uuid="1", **said)
    assert node.states() == {}
    assert node.checks.let_rest(listed(items=tea), node.now()) == frozenset()
