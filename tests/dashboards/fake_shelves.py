"""What the fake hub says of shelves: scores by bay, rounds, and what rests."""

from dataclasses import replace
from datetime import time, timedelta
from typing import Final
from uuid import UUID

from fastapi import APIRouter

from hub.codes.days import shop_days
from hub.codes.goods_scores import GoodsScores, goods_scores
from hub.rounds.store import ListedRound, Reach, Rest
from storepulse.facts import Fact
from storepulse.rounds import RoundDue, Window
from tests.dashboards.fake_codes import NOW
from tests.hub.shop_facts import DAY, SHOP

REST: Final = Rest(
    id=UUID(int=1), shop=SHOP, bay="", sku="M001", reason="delivery_due",
    note="on Monday's lorry", until=DAY + timedelta(days=2), made_at=NOW,
)  # fmt: skip


def scores_told() -> GoodsScores:
    """The day's scores of a shop of three bays."""
    return GoodsScores(day=DAY, scores=goods_scores(shop_days(SHOP, shelf_facts(), "UTC"), DAY))


def rounds_told() -> list[ListedRound]:
    """A round with a version before, and one of two bays on weekends."""
    windows = (Window(opens=time(9), due=time(11)), Window(opens=time(15), due=time(17)))
    daily = RoundDue(round="daily", version=2, name="Daily", windows=windows)
    weekend = RoundDue(
        round="endcap", version=1, name="Promotion ends", windows=windows[:1],
        weekdays=("fri", "sat"), bays=("bay-1", "bay-2"), starts_on=DAY,
    )  # fmt: skip
    before = replace(daily, version=1, weekdays=())
    return [
        ListedRound(due=daily, reach=Reach(regions=("east",)), published_at=NOW, reached=40),
        ListedRound(due=before, reach=Reach(), published_at=NOW, reached=40),
        ListedRound(due=weekend, reach=Reach(), published_at=NOW, reached=12),
    ]


def shelf_facts() -> list[Fact]:
    """What two bays show, one of them half in view, and one that nobody photographed."""
    told: list[Fact] = []
    for bay, value, n in (("bay-1", 0.93, 40), ("bay-2", 0.61, 22), ("bay-3", None, 0)):
        for metric in (
            "exposure_main_push",
            "facing_compliance",
            "position_compliance",
            "on_shelf_availability",
            "main_push_in_main_visual",
            "facings_resting",
        ):
            exact = metric == "facings_resting"
            some = None if value is None else 0.04 if exact else value
            doubt = {} if some is None or exact else {"low": some - 0.06, "high": some + 0.05}
            told.append(
                Fact(id=f"{bay}:{metric}", shop=SHOP, metric=metric, start=NOW, end=NOW,
                     value=some, n=n, coverage=n / 40, dims={"bay": bay, "planned": "40"}, **doubt)
            )  # fmt: skip
    for brand, value in (("Fenwick", 0.46), ("山泉", 0.31), ("Halden", 0.14)):
        told.append(
            Fact(id=f"share:{brand}", shop=SHOP, metric="share_of_shelf", start=NOW, end=NOW, n=62,
                 value=value, low=value - 0.05, high=value + 0.05, coverage=0.8,
                 dims={"bay": "bay-1", "brand": brand, "planned": "80"})
        )  # fmt: skip
    return told


def shelves_router() -> APIRouter:
    """The hub's routes of rounds, rests and scores."""
    routes = APIRouter(prefix="/api")

    @routes.get("/shops/{shop}/scores")
    def scores(shop: str) -> GoodsScores:
        return scores_told()

    @routes.get("/shops/{shop}/rests")
    def rests(shop: str) -> list[Rest]:
        return [REST]

    @routes.get("/rounds")
    def rounds() -> list[ListedRound]:
        return rounds_told()

    return routes
