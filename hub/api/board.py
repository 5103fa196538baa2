"""The board and its history over HTTP: whole for a small chain, page by page for a large one.

A page that shows all shops of a large chain asks for them as columns.

A page is put together by the database, for the shops of the session, and passed on as it is.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import TypeAdapter
from starlette.responses import Response

from hub.api.answers import BoardRow, stored_board
from hub.api.asked import Clock, Day
from hub.codes.colours import Shown
from hub.codes.columns import BoardColumns, read_columns
from hub.codes.computing import day_shown, read_policies
from hub.codes.history import DAYS_MAX, History, read_history
from hub.codes.touched import newest_code_day_seen
from hub.people.sessions import ReadsFigures
from hub.store.database import Database
from hub.store.queries import question

PAGE_MAX: Final = 500
_COLUMNS_JSON: Final = TypeAdapter(BoardColumns)
_Shops = Annotated[list[str] | None, Query(max_length=PAGE_MAX)]
_Words = Annotated[str | None, Query(max_length=200)]


def board_routes(database: Database, now: Clock) -> APIRouter:
    """GET /api/board, /api/board/columns and /api/history."""
    routes = APIRouter(prefix="/api", tags=["codes"])

    @routes.get("/board", response_model=list[BoardRow])
    def board(
        session: ReadsFigures,
        day: Day = None,
        limit: Annotated[int | None, Query(ge=1, le=PAGE_MAX)] = None,
        skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        region: _Words = None,
        format: _Words = None,  # noqa: A002 - the word of shops
        colour: Shown | None = None,
        called: _Words = None,
    ) -> Any:
        """The chain on a day (default: the newest with codes), worst shops first.

        With `limit` a page of it: `skip` rows are left out, `region`, `format`, the own `colour`
        and part of a name or number (`called`) choose, and the header X-Total-Count says how many
        there are in all. On a page a shop whose day was not computed yet has no codes.
        """
        with database.of_session(session) as connection:
            shown = day or newest_code_day_seen(connection) or day_shown(connection)
            if shown is None:
                return []
            if limit is None:
                return stored_board(connection, shown, read_policies(connection), now=now())
            asked = {
                "day": shown, "skip": skip, "at_most": limit, "region": region, "format": format,
                "colour": colour, "called": called,
            }  # fmt: skip
            row = connection.execute(question("board_page"), asked).fetchone()
        assert row is not None
        return Response(
            row["page"], media_type="application/json",
            headers={"X-Total-Count": str(row["total"])},
        )  # fmt: skip

    @routes.get("/board/columns", response_model=BoardColumns)
    def columns(session: ReadsFigures, day: Day = None, shop: _Shops = None) -> Any:
        """Signs and figures of all shops on a day (default: the newest with codes), by column.

        `shop`, given once or more often, asks for these shops only.
        """
        with database.of_session(session) as connection:
            shown = day or newest_code_day_seen(connection) or day_shown(connection)
            found = read_columns(connection, shown, shops=shop) if shown else BoardColumns()
        # Written here at once: checked value by value it would take as long again.
        return Response(_COLUMNS_JSON.dump_json(found), media_type="application/json")

    @routes.get("/history")
    def history(
        session: ReadsFigures,
        day: Day = None,
        days: Annotated[int, Query(ge=1, le=DAYS_MAX)] = 14,
        shop: _Shops = None,
    ) -> History:
        """The stored colours of the days up to `day` (default: the newest with codes).

        `shop`, given once or more often, asks for these shops only.
        """
        with database.of_session(session) as connection:
            last = day or newest_code_day_seen(connection) or day_shown(connection)
            return read_history(connection, last, days, shops=shop) if last else History()

    return routes
