"""The hub's JSON API: read only, loopback only, no sign-in yet. Computes nothing by itself.

GET /docs shows what there is without reaching for anything on the internet; errors have one shape,
{"error": {"code", "message", "retryable"}}.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from functools import partial
from importlib.resources import files
from typing import Annotated, Any, Final

import psycopg
from fastapi import APIRouter, FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from hub.answers import (
    CARE_WORDS,
    ROWS_MAX,
    BoardRow,
    ShopActions,
    ToldFacts,
    action_json,
    care_messages_waiting,
    one_action,
    one_checklist,
    rows_of,
    shown_actions,
    stored_board,
)
from hub.blobs import BlobStore
from hub.blobs_api import picture_routes
from hub.codes import Code
from hub.computing import UnknownShop, compute_codes, day_shown, read_policies
from hub.curves import CURVE_DAYS_MAX, Curves, read_curves
from hub.database import Database
from hub.days import day_start, local_day
from hub.errors import Refused
from hub.history import DAYS_MAX, History, read_history
from hub.listener import Tally
from hub.metrics import CATALOGUE, Metric
from hub.news import News, news_routes
from hub.policy import Policy, policy_schema
from hub.shops_store import Node, Shop
from hub.shops_store import nodes as read_nodes
from hub.shops_store import shops as read_shops
from hub.touched_store import known_shops, newest_code_day
from storepulse import __version__
from storepulse.errors import BadInput, Unavailable
from storepulse.pages import page_routes

HOSTS: Final = ("127.0.0.1", "localhost", "::1")
"""Other names would mean that a page of elsewhere made its name lead here."""
_FIRST_DAY: Final = date(2001, 1, 1)
_LAST_DAY: Final = date(2098, 12, 31)
_FACT_DAYS: Final = 7

Clock = Callable[[], datetime]
Day = Annotated[date | None, Query(ge=_FIRST_DAY, le=_LAST_DAY)]
Name = Annotated[str, Path(min_length=1, max_length=200)]


class NotThere(BadInput):
    """Nothing of this id."""


def utc_now() -> datetime:
    """The moment, by this machine's clock."""
    return datetime.now(UTC)


def create_app(
    database: Database,
    *,
    now: Clock = utc_now,
    tally: Tally | None = None,
    news: News | None = None,
    names: Sequence[str] = HOSTS,
    store: BlobStore | None = None,
) -> FastAPI:
    """The application over an open database.

    Args:
        names: by which it may be asked for.
        store: where the evidence pictures lie; None: there are none.
    """
    app = FastAPI(
        title="storepulse hub", version=__version__, docs_url=None, redoc_url=None,
        description="Shops, codes with their reasons, actions, facts. Read only, loopback only.",
    )  # fmt: skip
    app.include_router(_codes_routes(database, now))
    app.include_router(_records_routes(database, now))
    app.include_router(_health_routes(database, tally or Tally()))
    app.include_router(news_routes(news or News()))
    app.include_router(picture_routes(database, store))
    app.include_router(page_routes("board.html"))
    app.state.database = database  # for hub.sessions
    _speak_one_error(app)
    app.middleware("http")(partial(_only_by_name, tuple(names)))
    return app


def _codes_routes(database: Database, now: Clock) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["codes"])

    @routes.get("/shops")
    def shops() -> list[Shop]:
        """All shops that a list or a fact has named."""
        with database.connection() as connection:
            return read_shops(connection)

    @routes.get("/board")
    def board(day: Day = None) -> list[BoardRow]:
        """The chain on a day (default: the newest with codes), worst shops first."""
        with database.connection() as connection:
            shown = day or newest_code_day(connection) or day_shown(connection)
            if shown is None:
                return []
            return stored_board(connection, shown, read_policies(connection), now=now())

    @routes.get("/history")
    def history(day: Day = None, days: Annotated[int, Query(ge=1, le=DAYS_MAX)] = 14) -> History:
        """The stored colours of the days up to `day` (default: the newest with codes)."""
        with database.connection() as connection:
            last = day or newest_code_day(connection) or day_shown(connection)
            return read_history(connection, last, days) if last else History()

    @routes.get("/shops/{shop}/codes")
    def codes(shop: Name, day: Day = None) -> Sequence[Code]:
        """The four codes of a shop, from the facts (default: its newest day with facts)."""
        with database.connection() as connection:
            known = known_shops(connection, [shop])
            if shop not in known:
                raise UnknownShop(f"shop {shop!r} is not known")
            today = local_day(now(), known[shop].timezone)
            shown = day or day_shown(connection, shops=[shop]) or today
            policies = read_policies(connection)
            (four,) = compute_codes(connection, {shop: [shown]}, policies, now=now())
            return four

    @routes.get("/shops/{shop}/curves")
    def curves(
        shop: Name, day: Day = None, days: Annotated[int, Query(ge=1, le=CURVE_DAYS_MAX)] = 14
    ) -> Curves:
        """The stored figures of a shop's days up to `day` (default: the newest with codes)."""
        with database.connection() as connection:
            if not known_shops(connection, [shop]):
                raise UnknownShop(f"shop {shop!r} is not known")
            last = day or newest_code_day(connection) or day_shown(connection, shops=[shop])
            return read_curves(connection, shop, last, days) if last else Curves()

    @routes.get("/shops/{shop}/actions", response_model=ShopActions)
    def actions(shop: Name, day: Day = None) -> dict[str, Any]:
        """What was pushed to a shop, and how many care messages wait for a consent."""
        with database.connection() as connection:
            if not known_shops(connection, [shop]):
                raise UnknownShop(f"shop {shop!r} is not known")
            found = shown_actions(
                connection, shop=shop, day=day, called_for_on=day,
                policies=read_policies(connection), now=now(),
            )  # fmt: skip
            waiting = care_messages_waiting(connection, shop, now=now())
        return {
            "actions": [action_json(one) for one in found],
            "care_messages": {"reached_72h": waiting, "sent": 0, "why": CARE_WORDS},
        }

    @routes.get("/actions/{action}")
    def action(action: Name) -> dict[str, Any]:
        """One action with its moves."""
        with database.connection() as connection:
            found = one_action(connection, action)
        if found is None:
            raise NotThere(f"there is no action {action!r}")
        return found

    @routes.get("/policy")
    def policy(day: Day = None) -> Policy:
        """The policy in force on a day (default: today), with its limits."""
        with database.connection() as connection:
            return read_policies(connection).in_force(day or now().date())

    @routes.get("/policy/schema")
    def schema() -> dict[str, Any]:
        """The JSON Schema of a policy."""
        return policy_schema()

    return routes


def _records_routes(database: Database, now: Clock) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["records"])

    @routes.get("/facts", response_model=ToldFacts)
    def facts(
        shop: Annotated[str, Query(min_length=1, max_length=200)],
        metric: Annotated[str | None, Query(max_length=200)] = None,
        first: Annotated[date | None, Query(alias="from", ge=_FIRST_DAY, le=_LAST_DAY)] = None,
        last: Annotated[date | None, Query(alias="to", ge=_FIRST_DAY, le=_LAST_DAY)] = None,
    ) -> dict[str, Any]:
        """A shop's facts of its local days from..to (default: the last seven), oldest first."""
        with database.connection() as connection:
            known = known_shops(connection, [shop])
            if shop not in known:
                raise UnknownShop(f"shop {shop!r} is not known")
            timezone = known[shop].timezone
            until = last or local_day(now(), timezone)
            since = first or until - timedelta(days=_FACT_DAYS - 1)
            rows = rows_of(
                connection, "facts_between", shop=shop, metric=metric,
                since=day_start(since, timezone),
                until=day_start(until + timedelta(days=1), timezone), limit=ROWS_MAX + 1,
            )  # fmt: skip
        # One more was asked for, to know whether there are more.
        return {"facts": rows[:ROWS_MAX], "more": len(rows) > ROWS_MAX}

    @routes.get("/checklists/{checklist}")
    def checklist(checklist: Name) -> dict[str, Any]:
        """A node's checklist and how its items stand."""
        with database.connection() as connection:
            found = one_checklist(connection, checklist)
        if found is None:
            raise NotThere(f"there is no checklist {checklist!r}")
        return found

    @routes.get("/catalogue")
    def catalogue() -> list[Metric]:
        """The metrics that the hub knows."""
        return list(CATALOGUE.values())

    @routes.get("/nodes", response_model=list[Node])
    def nodes() -> list[dict[str, Any]]:
        """The nodes as the hub last heard of them."""
        with database.connection() as connection:
            return [asdict(node) for node in read_nodes(connection)]

    @routes.get("/streams")
    def streams() -> list[dict[str, Any]]:
        """How far each node's outbox is stored."""
        with database.connection() as connection:
            return rows_of(connection, "streams")

    @routes.get("/quarantine")
    def quarantine() -> list[dict[str, Any]]:
        """Messages that were refused, newest first, in full."""
        with database.connection() as connection:
            return rows_of(connection, "quarantine")

    @routes.get("/alarms")
    def alarms() -> list[dict[str, Any]]:
        """What a person should look at, newest first."""
        with database.connection() as connection:
            return rows_of(connection, "alarms")

    return routes


def _health_routes(database: Database, tally: Tally) -> APIRouter:
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz")
    def healthz() -> dict[str, Any]:
        """Whether database and broker answer; 503 when the database does not."""
        with database.connection() as connection:
            connection.execute("select 1")
        return {
            "version": __version__, "database": database.version, "broker": tally.connected,
            "messages": tally.messages, "quarantined": tally.quarantined,
            "alarms": tally.alarms, "actions_sent": tally.actions_sent,
        }  # fmt: skip

    @routes.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        """A page that lists what /openapi.json describes, with nothing from elsewhere."""
        return HTMLResponse((files("hub") / "api_docs.html").read_text(encoding="utf-8"))

    return routes


def _error(status: int, code: str, message: str, *, retryable: bool = False) -> JSONResponse:
    body = {"error": {"code": code, "message": message, "retryable": retryable}}
    return JSONResponse(body, status_code=status)


async def _only_by_name(
    names: tuple[str, ...],
    request: Request,
    call_next: Callable[[Request], Awaitable[Response]],
) -> Response:
    if _host_asked_for(request) not in names:
        return _error(421, "wrong_host", f"ask for this hub by {' or '.join(names)}")
    return await call_next(request)


def _host_asked_for(request: Request) -> str:
    """The name in the Host header, without port and brackets, in small letters."""
    said = request.headers.get("host", "").lower()
    if said.startswith("["):
        return said[1:].partition("]")[0]
    return said.partition(":")[0]


def _speak_one_error(app: FastAPI) -> None:
    @app.exception_handler(BadInput)
    async def _bad_input(_: Request, error: BadInput) -> JSONResponse:
        missing = isinstance(error, UnknownShop | NotThere)
        return _error(404 if missing else 400, "not_there" if missing else "bad_input", str(error))

    @app.exception_handler(Refused)
    async def _refused(_: Request, error: Refused) -> JSONResponse:
        return _error(error.status, error.code, str(error))

    @app.exception_handler(Unavailable)
    async def _unavailable(_: Request, error: Unavailable) -> JSONResponse:
        return _error(503, "unavailable", str(error), retryable=True)

    @app.exception_handler(psycopg.DataError)
    async def _data(_: Request, error: psycopg.DataError) -> JSONResponse:  # noqa: ARG001
        # For example a NUL in a shop's name: no text that the database could hold.
        return _error(400, "bad_input", "a value holds characters that cannot be stored")

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        return _error(422, "bad_request", f"{where}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        code = {404: "not_there", 405: "not_allowed"}.get(error.status_code, "refused")
        return _error(error.status_code, code, str(error.detail))
