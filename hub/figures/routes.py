"""The route over a shop's figures by quarter, hour, day or week. Adds nothing up."""

from typing import Annotated

from fastapi import APIRouter, Query

from hub.api.asked import Clock, Name, Since, Until
from hub.figures.reading import Series, read_series
from hub.figures.windows import Grain
from hub.people.sessions import ReadsFigures
from hub.store.database import Database


def series_routes(database: Database, now: Clock) -> APIRouter:
    """GET /api/shops/{shop}/figures."""
    routes = APIRouter(prefix="/api/shops", tags=["codes"])

    @routes.get("/{shop}/figures")
    def figures(
        shop: Name,
        session: ReadsFigures,
        metric: Annotated[str, Query(max_length=200)],
        by: Grain = "day",
        first: Since = None,
        last: Until = None,
        open_only: Annotated[
            bool, Query(description="Only what begins in the shop's opening hours.")
        ] = False,
    ) -> Series:
        """A metric of a shop, added up by the catalogue's way, with intervals; late facts too."""
        with database.of_session(session) as connection:
            return read_series(
                connection, shop, metric, by, first, last, now=now(), open_only=open_only
            )

    return routes
