"""Versions of planograms: published ones stand still, a day has one in force. Pure; keeps none."""

from collections.abc import Iterable
from dataclasses import replace
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


def in_force(
    planograms: Iterable[Planogram], *, shop: str, bay: str, day: date
) -> Planogram | None:
    """What a bay of a shop should show on a day; None where nothing was published for it.

    Of those that have started, the one that started last; of these the highest version.
    """
    mine = [
        planogram
        for planogram in planograms
        if planogram.published_at is not None
        and bay in planogram.bays_in(shop)
        and (planogram.starts_on is None or planogram.starts_on <= day)
    ]
    return max(mine, key=lambda p: (p.starts_on or date.min, p.version, p.id), default=None)
