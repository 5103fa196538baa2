"""Boards, facts and actions as CSV for a spreadsheet: the same that the JSON routes tell.

A cell that a spreadsheet would take for a formula gets an apostrophe before it; the file begins
with the mark by which Excel knows UTF-8.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response

from hub.api.answers import ShownAction, facts_of_shop, shown_actions, stored_board
from hub.api.asked import Clock, Day, Language, MetricAsked, ShopAsked, Since, Until
from hub.codes.computing import UnknownShop, day_shown, read_policies
from hub.codes.touched import known_shops, newest_code_day_seen
from hub.people.sessions import ReadsFigures
from hub.store.database import Database
from storepulse.actions import DIMENSIONS
from storepulse.errors import BadInput

ROWS_MAX: Final = 100_000
_FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_CODE_COLUMNS: Final = ("code", "probability", "value", "unit", "why")
_FACT_COLUMNS: Final = (
    "shop", "metric", "started_at", "ended_at", "value", "low", "high", "n", "coverage", "dims",
    "method", "source", "id",
)  # fmt: skip


class TooManyRows(BadInput):
    """More than a spreadsheet is asked to hold: nothing is cut off in silence."""


class CsvResponse(Response):
    """A file to be saved."""

    media_type = "text/csv; charset=utf-8"


def cell(value: Any) -> str:
    """A value as a cell: text never begins like a formula; figures stay figures."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool | int | float | date):
        return str(value)
    text = str(value)
    return "'" + text if text.startswith(_FORMULA_SIGNS) else text


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A whole file, with its first line of names."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(value) for value in row])
    return "\N{ZERO WIDTH NO-BREAK SPACE}" + out.getvalue()


def export_routes(database: Database, now: Clock) -> APIRouter:
    """GET /api/board.csv, /api/facts.csv, /api/actions.csv."""
    routes = APIRouter(
        prefix="/api", tags=["exports"], default_response_class=CsvResponse,
    )  # fmt: skip

    @routes.get("/board.csv")
    def board(session: ReadsFigures, day: Day = None, language: Language = "en") -> CsvResponse:
        """The board of a day (default: the newest with codes), a line for each shop."""
        with database.of_session(session) as connection:
            shown = day or newest_code_day_seen(connection) or day_shown(connection)
            rows = (
                stored_board(connection, shown, read_policies(connection), now=now())
                if shown
                else []
            )
        columns = ["day", "shop", "name", "region", "format", "simulated", "own_code"]
        for name in DIMENSIONS:
            columns += [f"{name}_{what}" for what in _CODE_COLUMNS]
        lines = []
        for row in rows:
            line: list[Any] = [
                shown, row.shop, row.name, row.region, row.format, row.simulated, row.colour,
            ]  # fmt: skip
            for code in row.codes:
                why = code.rule_zh if language == "zh" else ""
                line += [code.colour, code.probability, code.value, code.unit, why or code.rule]
            lines.append(line)
        return _file("board", csv_text(columns, lines))

    @routes.get("/facts.csv")
    def facts(
        shop: ShopAsked,
        session: ReadsFigures,
        metric: MetricAsked = None,
        first: Since = None,
        last: Until = None,
    ) -> CsvResponse:
        """A shop's facts of its local days from..to (default: the last seven), oldest first."""
        with database.of_session(session) as connection:
            rows = facts_of_shop(
                connection, shop, metric, first, last, now=now(), limit=ROWS_MAX + 1
            )
        if len(rows) > ROWS_MAX:
            raise TooManyRows(f"more than {ROWS_MAX} facts: ask for fewer days or one metric")
        return _file("facts", csv_text(_FACT_COLUMNS, (_fact_line(row) for row in rows)))

    @routes.get("/actions.csv")
    def actions(
        shop: ShopAsked, session: ReadsFigures, day: Day = None, language: Language = "en"
    ) -> CsvResponse:
        """What was pushed to a shop."""
        with database.of_session(session) as connection:
            if not known_shops(connection, [shop]):
                raise UnknownShop(f"shop {shop!r} is not known")
            found = shown_actions(
                connection, shop=shop, day=day, called_for_on=day,
                policies=read_policies(connection), now=now(),
            )  # fmt: skip
        columns = (
            "shop", "day", "kind", "dimension", "state", "title_en", "title_zh", "why",
            "created_at", "due_at", "delivered_at", "id",
        )  # fmt: skip
        return _file("actions", csv_text(columns, (_action_line(one, language) for one in found)))

    return routes


def _file(name: str, text: str) -> CsvResponse:
    return CsvResponse(text, headers={"Content-Disposition": f'attachment; filename="{name}.csv"'})


def _fact_line(row: dict[str, Any]) -> list[Any]:
    dims = ";".join(f"{name}={value}" for name, value in sorted(row["dims"].items()))
    return [dims if column == "dims" else row[column] for column in _FACT_COLUMNS]


def _action_line(shown: ShownAction, language: str) -> list[Any]:
    one = shown.action
    why = one.reason_zh if language == "zh" else ""
    return [
        one.shop, one.day, one.kind, one.dimension, shown.state, one.title.en, one.title.zh,
        why or one.reason, one.created_at, one.due_at, shown.delivered_at, one.id,
    ]  # fmt: skip
