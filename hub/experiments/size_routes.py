"""GET /api/trial-sizes: what trials of the chain's shops would find. Starts none."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final

import numpy as np
from fastapi import APIRouter, Query

from hub.api.asked import Clock
from hub.experiments.pairs import TooFewShops, matched_pairs
from hub.experiments.sizes import Size, sizes, spread_of_pairs
from hub.experiments.store import shops_on_trial
from hub.experiments.trials import BEFORE_DAYS, KNOWN_DAYS_MIN, looks
from hub.people.sessions import RunsTrials
from hub.store.database import Database
from hub.why.panel import figures
from hub.why.reading import daily_of, shops_with_kinds
from storepulse.actions import Dimension

_SEED: Final = 0
_SHOPS_MAX: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSizes:
    """What a trial could find, by the last days watched as if it had been one."""

    first: date
    last: date
    """The days that were watched."""
    pairs: int
    """That can be made of the shops; 0: too few have figures."""
    sizes: tuple[Size, ...]
    """Empty where too little is known."""


def size_routes(database: Database, now: Clock) -> APIRouter:
    """The route over an open database, for whoever may start a trial."""
    routes = APIRouter(prefix="/api", tags=["experiments"])

    @routes.get("/trial-sizes")
    def trial_sizes(
        session: RunsTrials,  # noqa: ARG001
        dimension: Dimension,
        days: Annotated[int, Query(ge=7, le=126)] = 28,
        shop: Annotated[list[str] | None, Query(max_length=_SHOPS_MAX)] = None,
    ) -> TrialSizes:
        """How many shops find which effect in a trial of so many days; `shop`: only among these."""
        last = now().date() - timedelta(days=1)
        return watched(database, dimension, last=last, days=days, shops=shop)

    return routes


def watched(
    database: Database, dimension: Dimension, *, last: date, days: int,
    shops: list[str] | None = None,
) -> TrialSizes:  # fmt: skip
    """Watch the last days as if they had been a trial in which nobody acted.

    Shops that will be in another trial of the dimension meanwhile take no part.
    """
    with database.connection() as owner:
        taken = shops_on_trial(
            owner, dimension, last + timedelta(days=1), last + timedelta(days=days)
        )
        kinds = {
            shop: kind
            for shop, kind in shops_with_kinds(owner, shops, most=_SHOPS_MAX).items()
            if shop not in taken
        }
        daily = daily_of(owner, kinds, last, days=BEFORE_DAYS + days)
    told = dict(zip(daily.shops, figures(daily, dimension), strict=True))
    before = {
        shop: float(np.nanmean(course[:BEFORE_DAYS]))
        for shop, course in told.items()
        if np.isfinite(course[:BEFORE_DAYS]).sum() >= KNOWN_DAYS_MIN
    }
    first = last - timedelta(days=days - 1)
    none = TrialSizes(first=first, last=last, pairs=0, sizes=())
    try:
        pairs = matched_pairs(before, {shop: kind for shop, (_, kind) in kinds.items()}, seed=_SEED)
    except TooFewShops:
        return none
    begin = first - timedelta(days=BEFORE_DAYS)
    dated = [begin + timedelta(days=number) for number in range(BEFORE_DAYS + days)]
    seen = looks(told, pairs, dated, start=BEFORE_DAYS)
    if not seen:
        return none
    half = (seen[-1].high - seen[-1].low) / 2
    spread = spread_of_pairs(half, seen[-1].pairs)
    return TrialSizes(first=first, last=last, pairs=len(pairs), sizes=sizes(spread, len(pairs)))
