"""The routes over a shop's calendar and over all shops' figures of a day. Compute nothing."""

from typing import Annotated

from fastapi import APIRouter, Query

from hub.api.asked import Day, Name
from hub.codes.calendar import (
    CALENDAR_DAYS_MAX,
    Calendar,
    DayFigures,
    read_calendar,
    read_figures,
    units,
)
from hub.codes.computing import UnknownShop, day_shown
from hub.codes.touched import known_shops, newest_code_day_seen
from hub.people.sessions import ReadsFigures
from hub.store.database import Database


def calendar_routes(database: Database) -> APIRouter:
    """GET /api/shops/{shop}/calendar and /api/figures."""
    routes = APIRouter(prefix="/api", tags=["codes"])

    @routes.get("/shops/{shop}/calendar")
    def calendar(
        shop: Name,
        session: ReadsFigures,
        day: Day = None,
        days: Annotated[int, Query(ge=1, le=CALENDAR_DAYS_MAX)] = 62,
    ) -> Calendar:
        """The stored colours of a shop's days up to `day` (default: the newest with codes)."""
        with database.of_session(session) as connection:
            if not known_shops(connection, [shop]):
                raise UnknownShop(f"shop {shop!r} is not known")
            last = day or newest_code_day_seen(connection) or day_shown(connection, shops=[shop])
            return read_calendar(connection, shop, last, days) if last else Calendar()

    @routes.get("/figures")
    def figures(session: ReadsFigures, day: Day = None) -> DayFigures:
        """Each shop's stored figures with intervals on a day (default: the newest with codes)."""
        with database.of_session(session) as connection:
            shown = day or newest_code_day_seen(connection)
            return read_figures(connection, shown) if shown else DayFigures(units=units())

    return routes
