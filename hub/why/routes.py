"""The API's answer to "why": one route. Computes nothing by itself."""

from fastapi import APIRouter

from hub.api.asked import Day, Name
from hub.people.sessions import ReadsFigures
from hub.store.database import Database
from hub.why.answer import Why
from storepulse.actions import Dimension


def why_routes(database: Database) -> APIRouter:
    """The route over an open database."""
    routes = APIRouter(prefix="/api", tags=["why"])

    @routes.get("/shops/{shop}/why")
    def why(shop: Name, dimension: Dimension, session: ReadsFigures, day: Day = None) -> Why:
        """What most likely made a dimension worse (default: on the shop's newest day)."""
        # Imported here: a hub starts quicker without the libraries of regressions.
        from hub.why.reading import read_why

        return read_why(database, shop, dimension, day, session=session)

    return routes
