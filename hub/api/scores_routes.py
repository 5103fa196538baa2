"""The route over the scores of a shop's shelves. Computes nothing."""

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter

from hub.api.asked import Day, Name
from hub.codes.computing import UnknownShop
from hub.codes.days import local_day
from hub.codes.goods_scores import GoodsScores, read_goods_scores
from hub.codes.touched import known_shops, newest_code_day_seen
from hub.people.sessions import ReadsFigures
from hub.plans.store import timezone_of
from hub.store.database import Database


def scores_routes(database: Database, now: Callable[[], datetime]) -> APIRouter:
    """GET /api/shops/SHOP/scores."""
    routes = APIRouter(prefix="/api", tags=["codes"])

    @routes.get("/shops/{shop}/scores")
    def scores(shop: Name, session: ReadsFigures, day: Day = None) -> GoodsScores:
        """Exposure, compliance, availability and shares of a shop's shelves, by bay, with doubt.

        Of one local day; by default the newest that has codes, else the shop's today.
        """
        with database.of_session(session) as connection:
            if not known_shops(connection, [shop]):
                raise UnknownShop(f"shop {shop!r} is not known")
            shown = day or newest_code_day_seen(connection)
            shown = shown or local_day(now(), timezone_of(connection, shop))
            return read_goods_scores(connection, shop, shown)

    return routes
