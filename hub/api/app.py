"""The hub's JSON API. Computes nothing by itself.

Every figure is read as the session that asks (`Database.of_session`): the database gives a
person's own shops and no others. GET /docs shows what there is without reaching for anything on
the internet; errors have one shape, {"error": {"code", "message", "retryable"}}.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final, Literal

import psycopg
from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from hub.actions.routes import action_routes
from hub.api.answers import (
    ROWS_MAX,
    ShopActions,
    ToldFacts,
    action_json,
    care_messages,
    facts_of_shop,
    one_checklist,
    rows_of,
    shown_actions,
    stored_codes,
)
from hub.api.asked import (
    Clock,
    Day,
    MetricAsked,
    Name,
    NotThere,
    ShopAsked,
    Since,
    Until,
    utc_now,
)
from hub.api.board import board_routes
from hub.api.exports import export_routes
from hub.api.figures_routes import figures_routes
from hub.api.news import News, news_routes
from hub.api.origins import is_foreign
from hub.api.policies import policy_routes
from hub.api.scores_routes import scores_routes
from hub.audit.routes import audit_routes
from hub.care.keyring import Keys
from hub.care.page_routes import ticket_page_routes
from hub.care.routes import care_routes
from hub.care.sending import CareSettings
from hub.codes.code import Code
from hub.codes.computing import UnknownShop, compute_codes, day_shown, read_policies
from hub.codes.curves import CURVE_DAYS_MAX, Curves, read_curves
from hub.codes.days import local_day
from hub.codes.touched import known_shops, newest_code_day_seen
from hub.errors import Refused
from hub.experiments.routes import experiment_routes
from hub.experiments.size_routes import size_routes
from hub.experiments.store import NoSuchExperiment
from hub.feeds.routes import feed_routes
from hub.figures.routes import series_routes
from hub.ingest.listener import Tally
from hub.metrics import CATALOGUE, Metric
from hub.notices.push import WebPush
from hub.notices.routes import notice_routes
from hub.people.account_routes import account_routes
from hub.people.data_routes import person_data_routes
from hub.people.provider import Provider
from hub.people.routes import people_routes
from hub.people.sessions import (
    NotYours,
    PerhapsSignedIn,
    ReadsFigures,
    SeesFaults,
    SeesNodes,
    SignedIn,
)
from hub.people.signing_in import TooManyTries
from hub.phones.routes import phone_routes
from hub.pictures.blobs import BlobStore
from hub.pictures.routes import picture_routes
from hub.plans.routes import BODY_BYTES_MAX as PLAN_BODY_BYTES_MAX
from hub.plans.routes import plan_routes, reads_body_late
from hub.playbooks.routes import playbook_routes
from hub.rounds.routes import round_routes
from hub.shops_store import Node, Shop
from hub.shops_store import nodes as read_nodes
from hub.shops_store import shops as read_shops
from hub.store.database import Database
from hub.why.routes import why_routes
from storepulse import __version__
from storepulse.docs_page import docs_route
from storepulse.errors import BadInput, Unavailable
from storepulse.pages import page_routes
from storepulse.units import KIB

log = logging.getLogger(__name__)

HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")
_BODY_BYTES_MAX: Final = 64 * KIB
"""No form of ours is longer; nodes' pictures come by another door."""


def create_app(
    database: Database,
    *,
    now: Clock = utc_now,
    tally: Tally | None = None,
    news: News | None = None,
    hosts: Collection[str] = HOSTS,
    store: BlobStore | None = None,
    provider: Provider | None = None,
    keys: Keys | None = None,
    notice_mail: bool = False,
    care: CareSettings | None = None,
    push: WebPush | None = None,
) -> FastAPI:
    """The application over an open database.

    Args:
        hosts: by which names (without the port) it may be asked.
        store: where the evidence pictures lie; None: there are none.
        provider: by whose accounts people may sign in, too.
        keys: of the hub's key file; None: no channel and no contact can be kept.
        notice_mail: whether notices can go by mail.
        care: how messages to customers go; None: none are sent, and nobody is asked to agree.
        push: how messages go to people's browsers; None: none are sent.
    """
    app = FastAPI(
        title="storepulse hub", version=__version__, docs_url=None, redoc_url=None,
        # One word for a thing: a policy that is read is one that can be sent back.
        separate_input_output_schemas=False,
        description="Shops, codes with their reasons, actions, facts; people and their rights.",
    )  # fmt: skip
    app.include_router(board_routes(database, now))
    app.include_router(_codes_routes(database, now))
    app.include_router(policy_routes(database, now))
    app.include_router(_records_routes(database, now))
    app.include_router(why_routes(database))
    app.include_router(experiment_routes(database, now))
    app.include_router(size_routes(database, now))
    app.include_router(_health_routes(database, tally or Tally()))
    app.include_router(figures_routes(database))
    app.include_router(series_routes(database, now))
    app.include_router(export_routes(database, now))
    app.include_router(action_routes(database))
    app.include_router(playbook_routes(database))
    app.include_router(care_routes(database, now, keys=keys, care=care or CareSettings()))
    app.include_router(notice_routes(database, keys, mail=notice_mail, push=push))
    app.include_router(people_routes(database))
    app.include_router(person_data_routes(database))
    app.include_router(account_routes(database, provider))
    app.include_router(audit_routes(database))
    app.include_router(feed_routes(database, now))
    app.include_router(phone_routes(database))
    app.include_router(picture_routes(database, store))
    app.include_router(plan_routes(database, now))
    app.include_router(round_routes(database, now))
    app.include_router(scores_routes(database, now))
    app.include_router(news_routes(database, news or News()))
    app.include_router(ticket_page_routes())
    app.include_router(docs_route())
    app.include_router(page_routes("board.html"))
    app.state.database = database  # for hub.people.sessions
    # A board is mostly the same words over and over; streams of events are left alone.
    app.add_middleware(GZipMiddleware, minimum_size=2 * KIB, compresslevel=3)
    _speak_one_error(app)
    app.middleware("http")(_gate(frozenset(hosts)))
    return app


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the hub is; a stranger learns only that it is there."""

    status: Literal["ok"] = "ok"
    version: str | None = None
    database: str | None = None
    broker: bool | None = None
    messages: int | None = None
    quarantined: int | None = None
    alarms: int | None = None
    actions_sent: int | None = None


def _codes_routes(database: Database, now: Clock) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["codes"])

    @routes.get("/shops")
    def shops(session: SignedIn) -> list[Shop]:
        """The shops of whoever asks."""
        with database.of_session(session) as connection:
            return read_shops(connection)

    @routes.get("/shops/{shop}/codes")
    def codes(shop: Name, session: ReadsFigures, day: Day = None) -> Sequence[Code]:
        """The four codes of a shop (default: the newest day with codes, else with facts).

        As stored where the day was computed; else from the facts.
        """
        with database.of_session(session) as connection:
            known = known_shops(connection, [shop])
            if shop not in known:
                raise UnknownShop(f"shop {shop!r} is not known")
            today = local_day(now(), known[shop].timezone)
            newest = newest_code_day_seen(connection)
            shown = day or newest or day_shown(connection, shops=[shop]) or today
            stored = stored_codes(connection, shop, shown)
            if stored is not None:
                return stored
            policies = read_policies(connection)
            (four,) = compute_codes(connection, {shop: [shown]}, policies, now=now())
            return four

    @routes.get("/shops/{shop}/curves")
    def curves(
        shop: Name,
        session: ReadsFigures,
        day: Day = None,
        days: Annotated[int, Query(ge=1, le=CURVE_DAYS_MAX)] = 14,
    ) -> Curves:
        """The stored figures of a shop's days up to `day` (default: the newest with codes)."""
        with database.of_session(session) as connection:
            if not known_shops(connection, [shop]):
                raise UnknownShop(f"shop {shop!r} is not known")
            last = day or newest_code_day_seen(connection) or day_shown(connection, shops=[shop])
            return read_curves(connection, shop, last, days) if last else Curves()

    @routes.get("/shops/{shop}/actions", response_model=ShopActions)
    def actions(shop: Name, session: ReadsFigures, day: Day = None) -> dict[str, Any]:
        """What was pushed to a shop, and how many care messages wait for a consent."""
        with database.of_session(session) as connection:
            if not known_shops(connection, [shop]):
                raise UnknownShop(f"shop {shop!r} is not known")
            found = shown_actions(
                connection, shop=shop, day=day, called_for_on=day,
                policies=read_policies(connection), now=now(),
            )  # fmt: skip
            care = care_messages(connection, shop, now=now())
        return {
            "actions": [action_json(one) for one in found],
            "care_messages": care,
        }

    return routes


def _records_routes(database: Database, now: Clock) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["records"])

    @routes.get("/facts", response_model=ToldFacts)
    def facts(
        shop: ShopAsked,
        session: ReadsFigures,
        metric: MetricAsked = None,
        first: Since = None,
        last: Until = None,
    ) -> dict[str, Any]:
        """A shop's facts of its local days from..to (default: the last seven), oldest first."""
        with database.of_session(session) as connection:
            rows = facts_of_shop(
                connection, shop, metric, first, last, now=now(), limit=ROWS_MAX + 1
            )
        # One more was asked for, to know whether there are more.
        return {"facts": rows[:ROWS_MAX], "more": len(rows) > ROWS_MAX}

    @routes.get("/checklists/{checklist}")
    def checklist(checklist: Name, session: ReadsFigures) -> dict[str, Any]:
        """A node's checklist and how its items stand."""
        with database.of_session(session) as connection:
            found = one_checklist(connection, checklist)
        if found is None:
            raise NotThere(f"there is no checklist {checklist!r}")
        return found

    @routes.get("/catalogue")
    def catalogue(_: SignedIn) -> list[Metric]:
        """The metrics that the hub knows."""
        return list(CATALOGUE.values())

    @routes.get("/nodes", response_model=list[Node])
    def nodes(session: SeesNodes) -> list[dict[str, Any]]:
        """The nodes as the hub last heard of them."""
        with database.of_session(session) as connection:
            return [asdict(node) for node in read_nodes(connection)]

    @routes.get("/streams")
    def streams(session: SeesNodes) -> list[dict[str, Any]]:
        """How far each node's outbox is stored."""
        with database.of_session(session) as connection:
            return rows_of(connection, "streams_told")

    @routes.get("/quarantine")
    def quarantine(session: SeesFaults) -> list[dict[str, Any]]:
        """Messages that were refused, newest first, in full."""
        with database.of_session(session) as connection:
            return rows_of(connection, "quarantine")

    @routes.get("/alarms")
    def alarms(session: SeesFaults) -> list[dict[str, Any]]:
        """What a person should look at, newest first."""
        with database.of_session(session) as connection:
            return rows_of(connection, "alarms")

    return routes


def _health_routes(database: Database, tally: Tally) -> APIRouter:
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz", response_model_exclude_none=True)
    def healthz(session: PerhapsSignedIn) -> Health:
        """Whether the database answers (503 when not); more for those who see nodes."""
        with database.connection() as connection:
            connection.execute("select 1")
        if session is None or "see_nodes" not in session.person.rights:
            return Health()
        return Health(
            version=__version__, database=database.version, broker=tally.connected,
            messages=tally.messages, quarantined=tally.quarantined, alarms=tally.alarms,
            actions_sent=tally.actions_sent,
        )  # fmt: skip

    return routes


def _error(
    status: int, code: str, message: str, *, retryable: bool = False, **more: object
) -> JSONResponse:
    body = {"error": {"code": code, "message": message, "retryable": retryable} | more}
    return JSONResponse(body, status_code=status)


def _gate(
    hosts: frozenset[str],
) -> Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]:
    """What is refused before any route is looked for, and what every answer says."""

    async def gate(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        refusal = _why_refused(request, hosts)
        if refusal is not None:
            return refusal
        answer = await call_next(request)
        if request.url.path.startswith("/api/"):
            # Nothing that somebody was shown lies in a browser's cache for the next one.
            answer.headers.setdefault("Cache-Control", "no-store")
            answer.headers.setdefault("X-Content-Type-Options", "nosniff")
        return answer

    return gate


def _why_refused(request: Request, hosts: frozenset[str]) -> JSONResponse | None:
    # Other names would mean that a page of elsewhere made its name lead here.
    host = request.headers.get("host", "")
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    if name.lower() not in hosts:
        return _error(421, "wrong_host", "ask for this machine by one of its own names")
    if not request.url.path.startswith("/api/"):
        return None
    if is_foreign(request.method, request.headers, scheme=request.url.scheme):
        return _error(403, "foreign_origin", "this comes from another page, or is no JSON")
    said = request.headers.get("content-length", "0")
    if "transfer-encoding" in request.headers or not said.isdecimal():
        return _error(411, "length_needed", "say how long the body is (Content-Length)")
    # A planogram has its pictures in it. Only these routes read their body themselves, and so after
    # it is known who sends it; all others have it read first, a stranger's, too.
    bytes_max = PLAN_BODY_BYTES_MAX if reads_body_late(request.url.path) else _BODY_BYTES_MAX
    if int(said) > bytes_max:
        return _error(413, "too_large", f"at most {bytes_max} bytes")
    return None


def _speak_one_error(app: FastAPI) -> None:
    @app.exception_handler(BadInput)
    async def _bad_input(_: Request, error: BadInput) -> JSONResponse:
        missing = isinstance(error, UnknownShop | NotThere | NoSuchExperiment)
        return _error(404 if missing else 400, "not_there" if missing else "bad_input", str(error))

    @app.exception_handler(Refused)
    async def _refused(_: Request, error: Refused) -> JSONResponse:
        if isinstance(error, TooManyTries):
            after_s = error.retry_after_s
            told = _error(
                error.status, error.code, str(error), retryable=True, retry_after_s=after_s
            )
            told.headers["Retry-After"] = str(after_s)
            return told
        return _error(error.status, error.code, str(error))

    @app.exception_handler(Unavailable)
    async def _unavailable(_: Request, error: Unavailable) -> JSONResponse:
        return _error(503, "unavailable", str(error), retryable=True)

    @app.exception_handler(psycopg.errors.InsufficientPrivilege)
    async def _unprivileged(request: Request, error: Exception) -> JSONResponse:
        # The database refused what the API let through: no figure is lost, but a check is missing.
        log.error("%s %s: %s", request.method, request.url.path, error)
        return _error(403, NotYours.code, "this is not among what your role may do")

    @app.exception_handler(psycopg.DataError)
    async def _data(_: Request, error: psycopg.DataError) -> JSONResponse:  # noqa: ARG001
        # For example a NUL in a shop's name: no text that the database could hold.
        return _error(400, "bad_input", "a value holds characters that cannot be stored")

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        return _error(422, "bad_request", f"{where}: {first['msg']}")

    @app.exception_handler(Exception)
    async def _fault(request: Request, error: Exception) -> JSONResponse:
        log.error("%s %s broke", request.method, request.url.path, exc_info=error)
        message = "the hub made a mistake; it is in its log. Try again"
        return _error(500, "fault", message, retryable=True)

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        code = {404: "not_there", 405: "not_allowed"}.get(error.status_code, "refused")
        return _error(error.status_code, code, str(error.detail))
