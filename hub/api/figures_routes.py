"""The route over all shops' figures of a day. Computes nothing."""

from fastapi import APIRouter

from hub.api.asked import Day
from hub.codes.day_figures import DayFigures, read_figures, units
from hub.codes.touched import newest_code_day_seen
from hub.people.sessions import ReadsFigures
from hub.store.database import Database


def figures_routes(database: Database) -> APIRouter:
    """GET /api/figures."""
    routes = APIRouter(prefix="/api", tags=["codes"])

    @routes.get("/figures")
    def figures(session: ReadsFigures, day: Day = None) -> DayFigures:
        """Each shop's stored figures with intervals on a day (default: the newest with codes)."""
        with database.of_session(session) as connection:
            shown = day or newest_code_day_seen(connection)
            return read_figures(connection, shown) if shown else DayFigures(units=units())

    return routes
