"""Close what a later photo of a bay shows as put right, and reopen what it does not.

The rule is `planograms.after`'s; here the earlier checklists are found, and what became of their
items is kept and told to the hub, in the transaction of the later photo's answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from edge.checks import Checks, KeptChecklist
from edge.clock import Moment
from edge.disk import Disk
from edge.judging import Judged
from edge.outbox import Outbox
from planograms.after import is_older, is_same, marks_after
from storepulse.checklists import ItemState
from storepulse.events import ItemMarked
from storepulse.facts import Fact
from storepulse.topics import Address

LOOK_BACK: Final = timedelta(days=3)
"""An older list is of another state of the shelf: what is mended by now was mended by others."""
LISTS_MAX: Final = 5
METHOD: Final = "edge.closing/1"
WhyNothing = Literal["", "same_photo", "older_photo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What a photo did to the earlier checklists of its bay."""

    confirmed: int = 0
    reopened: int = 0
    minutes: float | None = None
    """From the finding to the photo that shows it mended, on average; None: none was."""
    nothing: WhyNothing = ""
    """Why it could say nothing: it is the earlier photo again, or was taken before it."""


class Closing:
    """The earlier checklists of one node, as later photos see them."""

    def __init__(self, disk: Disk, outbox: Outbox, checks: Checks, address: Address) -> None:
        self._disk = disk
        self._outbox = outbox
        self._checks = checks
        self._address = address

    def close(self, photo: str, bay: str, judged: Judged, moment: Moment) -> Closed:
        """Mark the items of earlier checklists of the bay by the same planogram version.

        Within the transaction that keeps the photo's answer and its own checklist.
        """
        planogram = judged.body["planogram"]
        confirmed = reopened = 0
        minutes: list[float] = []
        nothing: WhyNothing = ""
        for kept in self._earlier(photo, bay, planogram["id"], planogram["version"], moment):
            states: dict[str, ItemState] = {mark.item: mark.state for mark in kept.marks}
            items = [(item, states.get(item.id, "open")) for item in kept.checklist.items]
            why = self._why_nothing(kept.checklist.photo, judged)
            if why:
                if any(state in ("open", "done", "reopened") for _, state in items):
                    nothing = nothing or why
                continue
            facts: list[Fact] = []
            for mark in marks_after(items, judged.positions):
                said = ItemMarked(
                    checklist=kept.checklist.id, item=mark.item, state=mark.state, at=moment.at,
                    by="after_photo",
                )  # fmt: skip
                self._checks.keep_mark(said, moment)
                if mark.state == "reopened":
                    reopened += 1
                    continue
                confirmed += 1
                fact = self._fix_time(photo, bay, kept, mark.item, moment)
                facts.append(fact)
                minutes.append(fact.value or 0.0)
            self._outbox.append(facts, moment)
        return Closed(
            confirmed=confirmed, reopened=reopened,
            nothing="" if confirmed or reopened else nothing,
            minutes=round(sum(minutes) / len(minutes), 1) if minutes else None,
        )  # fmt: skip

    def _earlier(
        self, photo: str, bay: str, planogram: str, version: int, moment: Moment
    ) -> Sequence[KeptChecklist]:
        since = (moment.at - LOOK_BACK).isoformat()
        with self._disk.reading() as db:
            ids = db.execute(
                "select id from checklists where bay = ? and made_at >= ? "
                "order by made_at desc limit ?",
                (bay, since, LISTS_MAX + 1),
            ).fetchall()
        found = [self._checks.one(row[0]) for row in ids]
        return [
            one
            for one in found
            if one.checklist.photo != photo
            and (one.checklist.planogram, one.checklist.planogram_version) == (planogram, version)
        ]

    def _why_nothing(self, earlier: str, judged: Judged) -> WhyNothing:
        with self._disk.reading() as db:
            row = db.execute(
                "select signature, taken from photos where uuid = ?", (earlier,)
            ).fetchone()
        if row is None:
            return ""
        if is_older(judged.taken, row[1]):
            return "older_photo"
        return "same_photo" if is_same(judged.signature, row[0] or b"") else ""

    def _fix_time(
        self, photo: str, bay: str, kept: KeptChecklist, item: str, moment: Moment
    ) -> Fact:
        minutes = max(0.0, (moment.at - kept.checklist.made_at).total_seconds() / 60)
        return Fact(
            id=f"{photo}:fix_time:{kept.checklist.id}:{item}", shop=self._address.shop,
            metric="fix_time", start=moment.at, end=moment.at, value=round(minutes, 2),
            low=round(minutes, 2), high=round(minutes, 2), n=1,
            dims={"bay": bay, "checklist": kept.checklist.id}, method=METHOD,
            source=self._address.path,
        )  # fmt: skip
