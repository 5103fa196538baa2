"""The routes over a shop's figures over time, and over two figures of all shops. Add nothing up."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import TypeAdapter
from starlette.responses import Response

from hub.api.asked import Clock, Day, Name, Since, Until
from hub.codes.touched import newest_code_day_seen
from hub.figures.plane import Plane, read_plane
from hub.figures.reading import Series, read_series
from hub.figures.windows import Grain
from hub.people.sessions import ReadsFigures
from hub.store.database import Database

_PLANE_JSON: Final = TypeAdapter(Plane)
_Figure = Annotated[
    str, Query(max_length=200, description="A metric of the catalogue, or a dimension.")
]


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


def plane_routes(database: Database) -> APIRouter:
    """GET /api/plane."""
    routes = APIRouter(prefix="/api", tags=["codes"])

    @routes.get("/plane", response_model=Plane)
    def plane(session: ReadsFigures, x: _Figure, y: _Figure, day: Day = None) -> Any:
        """Two figures of each shop on a day (default: the newest with codes), by column."""
        with database.of_session(session) as connection:
            found = read_plane(connection, x, y, day or newest_code_day_seen(connection))
        # Written here at once: checked value by value it would take as long again.
        return Response(_PLANE_JSON.dump_json(found), media_type="application/json")

    return routes
