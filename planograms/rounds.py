"""Which bays are to be photographed now, and which were. Pure: the clock and the photos are given.

Rounds are said in a shop's own clock and calendar (`storepulse.rounds`). A window stands from its
opening until the same round opens again, or the shop's day ends; whoever comes after it was due is
late, and the photo counts all the same.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from storepulse.rounds import WEEKDAYS, RoundDue

BayState = Literal["done", "due", "overdue"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One round on one day: from when to when, and which bays."""

    round: str
    name: str
    opens: datetime
    due: datetime
    until: datetime
    """From then on it can be done no more: it opens again, or the day is over."""
    bays: tuple[str, ...]

    @property
    def key(self) -> str:
        """By which it is known: of one round and one opening there is one."""
        return f"{self.round}@{self.opens.isoformat()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BayDue:
    """One bay of a round, and how it stands."""

    bay: str
    state: BayState
    at: datetime | None = None
    """When it was photographed first; None: not yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundStanding:
    """A round that is open now, and how far it is."""

    round: str
    name: str
    opens: datetime
    due: datetime
    until: datetime
    bays: tuple[BayDue, ...]
    """In walking order."""

    @property
    def done(self) -> int:
        """How many bays were photographed; several photos of one count once."""
        return sum(bay.state == "done" for bay in self.bays)

    @property
    def overdue(self) -> tuple[str, ...]:
        """The bays that should have been photographed by now."""
        return tuple(bay.bay for bay in self.bays if bay.state == "overdue")

    @property
    def next(self) -> str | None:
        """The bay to go to; None: all were photographed."""
        return next((bay.bay for bay in self.bays if bay.state != "done"), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """The round that a photo belongs to, and what earlier photos of it showed of the same bay."""

    round: str = ""
    """By which it is known; empty: of no round."""
    earlier: Mapping[str, float] = field(default_factory=dict)
    """Of positions, the probability of being right."""


OF_NO_ROUND = Within()


def in_force(rounds: Iterable[RoundDue], day: date) -> tuple[RoundDue, ...]:
    """Of each round the version that holds on a day: the one that started last; by name."""
    newest: dict[str, RoundDue] = {}
    for one in rounds:
        if one.starts_on is not None and one.starts_on > day:
            continue
        known = newest.get(one.round)
        if known is None or _age(one) > _age(known):
            newest[one.round] = one
    return tuple(newest[name] for name in sorted(newest) if newest[name].weekdays)


def _age(one: RoundDue) -> tuple[date, int]:
    return one.starts_on or date.min, one.version


def occurrences(
    rounds: Iterable[RoundDue], day: date, *, zone: ZoneInfo, bays_here: Sequence[str]
) -> tuple[Occurrence, ...]:
    """The rounds of one day of a shop, by their opening.

    Args:
        bays_here: the bays that have a planogram on that day: of another one nothing is due, for
            no photo of it could be judged.
    """
    here = set(bays_here)
    tomorrow = _moment(day + timedelta(days=1), time(0), zone)
    out = []
    for one in in_force(rounds, day):
        if WEEKDAYS[day.weekday()] not in one.weekdays:
            continue
        bays = tuple(bay for bay in one.bays or in_order(here) if bay in here)
        if not bays:
            continue
        windows = sorted(one.windows, key=lambda window: window.opens)
        opens = [_moment(day, window.opens, zone) for window in windows]
        for k, window in enumerate(windows):
            out.append(
                Occurrence(
                    round=one.round, name=one.name, opens=opens[k],
                    # An hour that a clock change takes away may turn the two round.
                    due=max(_moment(day, window.due, zone), opens[k]),
                    until=opens[k + 1] if k + 1 < len(opens) else tomorrow, bays=bays,
                )
            )  # fmt: skip
    return tuple(sorted(out, key=lambda each: (each.opens, each.due, each.round)))


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


def standing_of(
    one: Occurrence, photographed: Mapping[str, Iterable[datetime]], *, now: datetime
) -> RoundStanding:
    """How far a round is.

    Args:
        photographed: by bay the moments at which usable photos of it came.
    """
    bays = []
    for bay in one.bays:
        within = [at for at in photographed.get(bay, ()) if one.opens <= at < one.until]
        at = min(within, default=None)
        state: BayState = "done" if at else "overdue" if now > one.due else "due"
        bays.append(BayDue(bay=bay, state=state, at=at))
    return RoundStanding(
        round=one.round, name=one.name, opens=one.opens, due=one.due, until=one.until,
        bays=tuple(bays),
    )  # fmt: skip


def due_now(
    rounds: Iterable[RoundDue],
    photographed: Mapping[str, Iterable[datetime]],
    *,
    now: datetime,
    zone: ZoneInfo,
    bays_here: Sequence[str],
) -> tuple[RoundStanding, ...]:
    """The rounds that are open now and how far each is; what is due first comes first."""
    today = occurrences(rounds, now.astimezone(zone).date(), zone=zone, bays_here=bays_here)
    told = [
        standing_of(one, photographed, now=now) for one in today if one.opens <= now < one.until
    ]
    return tuple(sorted(told, key=lambda each: (each.due, each.opens, each.round)))


def next_bay(standing: Iterable[RoundStanding]) -> str | None:
    """The bay to photograph next; None: nothing is due."""
    return next((each.next for each in standing if each.next is not None), None)


def in_order(bays: Iterable[str]) -> tuple[str, ...]:
    """Bays as people count them: bay-2 before bay-10."""
    return tuple(sorted(bays, key=_counted))


def _counted(bay: str) -> tuple[list[tuple[bool, int, str]], str]:
    parts = [part for part in re.split(r"(\d+)", bay) if part]
    numbers = [(part.isascii() and part.isdigit(), part) for part in parts]
    return [
        (not is_number, int(part) if is_number else 0, part) for is_number, part in numbers
    ], bay
