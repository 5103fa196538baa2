"""Close what a later photo of a bay shows as put right, and reopen what it does not.

The rule is `planograms.after`'s; here the earlier checklists are found, and what became of their
items is kept and told to the hub, in the transaction of the later photo's answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal

from edge.checks import Checks, KeptChecklist
from edge.clock import Moment
from edge.disk import Disk
from edge.judging import Judged, PhotoBefore
from edge.outbox import Outbox
from planograms.after import is_older, is_same, marks_after
from storepulse.checklists import ChecklistItem, ItemState
from storepulse.events import ItemMarked
from storepulse.facts import Fact
from storepulse.topics import Address

LOOK_BACK: Final = timedelta(days=3)
"""An older list is of another state of the shelf: what is mended by now was mended by others."""
LISTS_MAX: Final = 5
METHOD: Final = "edge.closing/1"
WhyNothing = Literal["", "same_photo", "older_photo", "unchanged"]
_PHOTOS_MAX: Final = 60
"""Earlier photos of a bay that a new one is held against."""
_BEFORE_MAX: Final = 2
"""Earlier lists whose photos are looked at again: each takes a tenth of a second."""
_OPEN: Final = ("open", "done", "reopened")


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What a photo did to the earlier checklists of its bay."""

    confirmed: int = 0
    reopened: int = 0
    minutes: float | None = None
    """From the finding to the photo that shows it mended, on average; None: none was."""
    nothing: WhyNothing = ""
    """Why it could say nothing: it is an earlier photo again, was taken before one, or shows every
    place that was to be mended as it was."""

    @property
    def stale(self) -> bool:
        """Whether it does not show the shelf as it stood when the photo came."""
        return self.nothing in ("same_photo", "older_photo")


class Closing:
    """The earlier checklists of one node, as later photos see them."""

    def __init__(self, disk: Disk, outbox: Outbox, checks: Checks, address: Address) -> None:
        self._disk = disk
        self._outbox = outbox
        self._checks = checks
        self._address = address

    def close(self, photo: str, bay: str, judged: Judged, moment: Moment) -> Closed:
        """Mark the items of earlier checklists of the bay by the same planogram version.

        Within the transaction that keeps the photo's answer and its own checklist. A photo that is
        an earlier one again, or older, closes nothing; nor does a place that looks as it did.
        """
        stale = self._why_stale(photo, bay, judged)
        if stale:
            return Closed(nothing=stale)
        planogram = judged.body["planogram"]
        confirmed = reopened = held_back = 0
        minutes: list[float] = []
        for kept in self._earlier(photo, bay, planogram["id"], planogram["version"], moment):
            alike = judged.unchanged.get(kept.checklist.id, frozenset())
            facts: list[Fact] = []
            for mark in marks_after(_standing(kept), judged.positions):
                if mark.state == "confirmed" and mark.item in alike:
                    held_back += 1
                    continue
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
            nothing="unchanged" if held_back and not (confirmed or reopened) else "",
            minutes=round(sum(minutes) / len(minutes), 1) if minutes else None,
        )  # fmt: skip

    def before(
        self, photo: str, bay: str, planogram: str, version: int, moment: Moment,
        picture_of: Callable[[str], Path | None],
    ) -> tuple[PhotoBefore, ...]:  # fmt: skip
        """Earlier photos of the bay that are kept, and where on them something is to be mended.

        Args:
            picture_of: the file of a photo, as far as there is one.
        """
        found = []
        for kept in self._earlier(photo, bay, planogram, version, moment):
            places = {
                item.id: item.box_xyxy_px for item, state in _standing(kept) if state in _OPEN
            }
            picture = picture_of(kept.checklist.photo)
            width = self._width(kept.checklist.photo)
            if places and width and picture is not None:
                found.append(
                    PhotoBefore(
                        checklist=kept.checklist.id, photo=picture, places=places, width=width
                    )
                )
        return tuple(found[:_BEFORE_MAX])

    def _width(self, photo: str) -> int | None:
        with self._disk.reading() as db:
            row = db.execute(
                "select json_extract(answer, '$.observation.width') from photos where uuid = ?",
                (photo,),
            ).fetchone()
        return None if row is None or row[0] is None else int(row[0])

    def _earlier(
        self, photo: str, bay: str, planogram: str, version: int, moment: Moment
    ) -> Sequence[KeptChecklist]:
        since = (moment.at - LOOK_BACK).isoformat()
        # A photo may have a second list, of prices, of which a later photo says nothing.
        with self._disk.reading() as db:
            ids = db.execute(
                "select id from checklists where bay = ? and made_at >= ? "
                "order by made_at desc limit ?",
                (bay, since, 2 * (LISTS_MAX + 1)),
            ).fetchall()
        found = [self._checks.one(row[0]) for row in ids]
        mine = [
            one
            for one in found
            if one.checklist.photo != photo
            and not _of_prices(one)
            and (one.checklist.planogram, one.checklist.planogram_version) == (planogram, version)
        ]
        return mine[:LISTS_MAX]

    def _why_stale(self, photo: str, bay: str, judged: Judged) -> WhyNothing:
        """Whether a photo is an earlier one of the bay again, or was taken before one."""
        with self._disk.reading() as db:
            rows = db.execute(
                "select signature, taken from photos where bay = ? and uuid <> ? "
                "and signature is not null order by received_at desc limit ?",
                (bay, photo, _PHOTOS_MAX),
            ).fetchall()
        for known, taken in rows:
            # A camera on a tripod sees the same twice, and says when.
            if is_same(judged.signature, known) and not is_older(taken, judged.taken):
                return "same_photo"
        older = any(is_older(judged.taken, taken) for _, taken in rows)
        return "older_photo" if older else ""

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


def _of_prices(kept: KeptChecklist) -> bool:
    items = kept.checklist.items
    return bool(items) and all(item.kind == "wrong_price" for item in items)


def _standing(kept: KeptChecklist) -> list[tuple[ChecklistItem, ItemState]]:
    states: dict[str, ItemState] = {mark.item: mark.state for mark in kept.marks}
    return [(item, states.get(item.id, "open")) for item in kept.checklist.items]
