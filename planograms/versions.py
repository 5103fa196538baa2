"""Versions of planograms: published ones stand still, a day has one in force. Pure; keeps none."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from planograms.errors import BadPlanogram
from planograms.model import Planogram


def published(planogram: Planogram, *, at: datetime) -> Planogram:
    """The planogram, published; one that was before stays as it was."""
    if planogram.published_at is not None:
        return planogram
    return replace(planogram, published_at=at)


def next_draft(planogram: Planogram, *, at: datetime) -> Planogram:
    """A draft to change: of a published one the next version, else the same."""
    if planogram.published_at is None:
        return planogram
    return replace(planogram, version=planogram.version + 1, made_at=at, published_at=None)


def refuse_change(known: Planogram, new: Planogram) -> None:
    """Check that a planogram may take another one's place.

    Raises:
        BadPlanogram: the known one is newer, or published in this version and not the same.
    """
    if new.id != known.id or new == known:
        return
    if new.version < known.version:
        raise BadPlanogram(
            f"planogram {new.id}: version {known.version} is here; version {new.version} is older"
        )
    if new.version == known.version and known.published_at is not None:
        raise BadPlanogram(
            f"planogram {new.id}: version {known.version} is published and cannot change; give "
            f"the change --version {known.version + 1}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One published version as one shop has it: where it holds there, and from when."""

    id: str
    version: int
    bays: tuple[str, ...]
    starts_on: date | None = None

    @property
    def age(self) -> tuple[date, int, str]:
        """The greater one replaces the other."""
        return self.starts_on or date.min, self.version, self.id


def holding(placed: Iterable[Placed], day: date) -> Mapping[str, Placed]:
    """What each bay of one shop should show on a day.

    Of each planogram the version that started last replaces all others, also where it left a bay;
    of different planograms at one bay the one that started last holds, of these the higher version.

    Returns:
        By bay; a bay for which nothing has started is left out.
    """
    out: dict[str, Placed] = {}
    for one in sorted(_newest(placed, day), key=lambda each: each.age):
        out |= dict.fromkeys(one.bays, one)
    return out


def _newest(placed: Iterable[Placed], day: date) -> list[Placed]:
    """Of each planogram the version that started last, of those that have by this day."""
    newest: dict[str, Placed] = {}
    for one in placed:
        if (one.starts_on is None or one.starts_on <= day) and (
            one.id not in newest or one.age > newest[one.id].age
        ):
            newest[one.id] = one
    return list(newest.values())


def due(placed: Sequence[Placed], day: date) -> tuple[Placed, ...]:
    """What a shop's nodes need from a day on: what holds then, or will; by id and version.

    A version that starts later may uncover another planogram that does not hold today. One that
    holds nowhere, because another planogram covers it, still ends the version before it.
    """
    starts = {one.starts_on for one in placed if one.starts_on is not None and one.starts_on > day}
    days = (day, *starts)
    needed = {(one.id, one.version): one for on in days for one in holding(placed, on).values()}
    told = {one.id for one in needed.values()}
    needed |= {
        (one.id, one.version): one for on in days for one in _newest(placed, on) if one.id in told
    }
    return tuple(needed[key] for key in sorted(needed))


def in_force(
    planograms: Iterable[Planogram], *, shop: str, bay: str, day: date
) -> Planogram | None:
    """What a bay of a shop should show on a day (`holding`); None where nothing was published."""
    known = {
        (each.id, each.version): each
        for each in planograms
        if each.published_at is not None and each.bays_in(shop)
    }
    found = holding(
        [
            Placed(
                id=each.id, version=each.version, bays=each.bays_in(shop), starts_on=each.starts_on
            )
            for each in known.values()
        ],
        day,
    ).get(bay)
    return None if found is None else known[found.id, found.version]
