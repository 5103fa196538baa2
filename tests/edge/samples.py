"""Small facts, events and actions for the node's tests, and a clock that stands."""

from datetime import UTC, datetime, timedelta
from typing import Any

from edge.clock import Moment
from storepulse.actions import Action
from storepulse.checklists import Checklist, ChecklistItem, Sentence
from storepulse.events import ReceptionTapped
from storepulse.facts import Fact
from storepulse.wire import Clock

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
PLAN: dict[str, Any] = {
    "id": "plan", "name": "Plan", "bay": "b1", "version": 1,
    "made_at": "2026-11-20T10:00:00+08:00", "source": "plan", "unit": "mm", "width": 1000,
    "height": 500, "shelves": [{"row": 0, "line_xyxy": [0, 500, 1000, 500], "height": 300}],
    "products": [{"id": "p", "sku": "p", "name": "P"}],
    "positions": [{"id": "x", "row": 0, "index": 0, "product": "p", "box_xyxy": [0, 0, 100, 300]}],
}  # fmt: skip


class StandingClock:
    """All clocks of a node; they move when a test says so."""

    def __init__(self) -> None:
        self.moment = Moment(NOON, Clock(boot="boot-1", monotonic_s=100.0, synchronised=True))

    def __call__(self) -> Moment:
        return self.moment

    def forward(self, by: timedelta) -> Moment:
        clock = self.moment.clock
        seconds = clock.monotonic_s + by.total_seconds()
        self.moment = Moment(
            self.moment.at + by,
            Clock(boot=clock.boot, monotonic_s=seconds, synchronised=clock.synchronised),
        )
        return self.moment


def fact(number: int, **changes: object) -> Fact:
    """A quarter of an hour's dwell, the `number`-th from noon."""
    given: dict[str, object] = {
        "id": f"fact-{number}", "shop": "shop-17", "metric": "dwell_mean",
        "start": NOON + number * QUARTER, "end": NOON + (number + 1) * QUARTER,
        "value": 3.0, "low": 2.5, "high": 3.5, "n": 10, "method": "probes.visits/1",
        "source": "/storepulse/chain/shop-17/node-1",
    }  # fmt: skip
    return Fact(**(given | changes))  # type: ignore[arg-type]


def tap(number: int) -> ReceptionTapped:
    return ReceptionTapped(id=f"tap-{number}", at=NOON + timedelta(seconds=number))


def action(name: str = "action-1", shop: str = "shop-17") -> Action:
    return Action(
        id=name,
        shop=shop,
        kind="talk_track",
        dimension="people",
        day="2026-11-20",
        title=Sentence("Invite", "邀请"),
        text=Sentence("Invite them in.", "请进。"),
        reason="receptions below 8 on three days running",
        created_at=NOON,
        due_at=NOON + timedelta(days=1),
    )


def checklist(name: str = "checklist-1") -> Checklist:
    item = ChecklistItem(
        id="1",
        kind="missing",
        sentence=Sentence("Put it back", "放回去"),
        box_xyxy_px=(0, 0, 10, 10),
        confidence=0.9,
    )
    return Checklist(
        id=name,
        shop="shop-17",
        bay="b1",
        photo="photo-1",
        planogram="plan",
        planogram_version=1,
        made_at=NOON,
        items=(item,),
    )
