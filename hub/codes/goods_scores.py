"""The scores of a shop's shelves on a day: by bay, and of all bays together. Pure but for reading.

Photos: of each bay the newest fact of the day counts, however many were taken
(`hub.codes.days.of_places`). Formulas: docs/scores.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from pydantic import TypeAdapter

from hub.codes.days import ShopDays, Unseen, of_places, shop_days
from hub.codes.draws import estimate
from hub.ingest.facts_store import facts_of_days
from hub.metrics import CATALOGUE
from hub.plans.store import timezone_of
from hub.store.database import Connection
from storepulse.facts import Fact

SCORES: Final = (
    "exposure_main_push", "main_push_in_main_visual", "facing_compliance", "position_compliance",
    "on_shelf_availability", "share_of_shelf", "price_compliance", "facings_resting",
)  # fmt: skip
"""In the order in which people read them."""
_BY: Final = {"share_of_shelf": "brand"}
"""What a score is told apart by, beside the bay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsScore:
    """One score, of one bay or of the shop, with its 90 % interval."""

    metric: str
    bay: str | None
    """None: the whole shop."""
    brand: str | None = None
    value: float | None
    """None: photographed, and too little was seen."""
    low: float | None
    high: float | None
    n: int | None
    coverage: float
    """Seen, of what was planned."""
    at: datetime
    """Of the newest photo behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsScores:
    """All scores of a shop's day; those of which nothing was told miss."""

    day: date | None = None
    scores: tuple[GoodsScore, ...] = ()


def goods_scores(days: ShopDays, day: date) -> tuple[GoodsScore, ...]:
    """The scores of one local day: of the shop first, then bay by bay; by brand where they are."""
    out: list[GoodsScore] = []
    for metric in SCORES:
        told = [fact for fact in days.on(metric, day) if "bay" in fact.dims]
        key = _BY.get(metric)
        for name in sorted({fact.dims.get(key, "") for fact in told}) if key else [None]:
            mine = [fact for fact in told if key is None or fact.dims.get(key, "") == name]
            bays = sorted({fact.dims["bay"] for fact in mine})
            for bay in (None, *bays):
                some = [fact for fact in mine if bay in (None, fact.dims["bay"])]
                found = _score(metric, bay, name, some, day)
                if found is not None:
                    out.append(found)
    return tuple(out)


def _score(
    metric: str, bay: str | None, brand: str | None, facts: list[Fact], day: date
) -> GoodsScore | None:
    figure = of_places(facts, metric, day, day)
    at = max((fact.end for fact in facts), default=None)
    if at is None:
        return None
    if isinstance(figure, Unseen):
        # A bay without main push is judged by all its facings: that is another metric's figure.
        return None if not figure.facts else GoodsScore(
            metric=metric, bay=bay, brand=brand, value=None, low=None, high=None, n=0,
            coverage=0.0, at=at,
        )  # fmt: skip
    told = estimate(figure.value, figure.doubt, name=f"{metric}|{bay}|{brand}|{day}", ceiling=1.0)
    exact = told.exact and CATALOGUE[metric].counted
    return GoodsScore(
        metric=metric, bay=bay, brand=brand, value=told.value, low=None if exact else told.low,
        high=None if exact else told.high, n=figure.n, coverage=figure.coverage, at=at,
    )  # fmt: skip


def read_goods_scores(connection: Connection, shop: str, day: date) -> GoodsScores:
    """The scores of a shop on one of its local days."""
    facts: Iterable[Fact] = (
        one.fact for one in facts_of_days(connection, day, day, shops=[shop], metrics=list(SCORES))
    )
    days = shop_days(shop, facts, timezone_of(connection, shop))
    return GoodsScores(day=day, scores=goods_scores(days, day))


GOODS_SCORES_JSON: TypeAdapter[GoodsScores] = TypeAdapter(GoodsScores)
