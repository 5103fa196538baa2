"""A hub for the pages' tests: its answers are made of the hub's own types, and nothing is stored.

Signing in works with any name and the password `PASSWORD`; what is asked without is 401. Shops,
codes and people are the same at each start.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.actions.listing import ListedActions
from hub.actions.pushes import Situation, pushes
from hub.api.answers import BoardCode, BoardRow, CareMessages, ShopActions, ToldAction, ToldFact
from hub.codes.calendar import Calendar
from hub.codes.code import Code, codes_of_days, own_colour
from hub.codes.colours import Shown
from hub.codes.columns import BoardColumns
from hub.codes.curves import Curves
from hub.codes.days import shop_days
from hub.codes.history import DimensionHistory, History, ShopHistory
from hub.codes.policy import default_policy
from hub.codes.trial import Trial
from hub.figures.reading import Series
from hub.figures.windows import Grain
from hub.notices.routes import MyBrowsers
from hub.people.roles import RIGHTS, Role
from hub.people.routes import Invited, LinkFor, ListedPerson, Me, ToldPerson, ToldSession
from hub.phones.routes import NewPairingCode
from hub.phones.store import PairingNode, ShopPhone
from hub.playbooks import playbooks
from hub.shops_store import Node, Shop
from hub.why.answer import Why
from storepulse.actions import DIMENSIONS, Dimension
from storepulse.facts import Fact
from storepulse.pages import page_routes
from storepulse.topics import Address
from tests.dashboards.fake_codes import COLOURS, NOW, calendar_of, trial_of
from tests.dashboards.fake_office import FakeOffice
from tests.dashboards.fake_plane import plane_routes
from tests.dashboards.fake_shelves import shelves_router
from tests.dashboards.fake_shop import (
    columns_of,
    curves_of,
    drawn_shelf,
    listed_action,
    series_of,
    turned_row,
    why_of,
)
from tests.hub.shop_facts import DAY, SHOP, back, dwell, experiences, goods, people

PASSWORD: Final = "a long enough password"
DAYS: Final = 14
DAYS_SHOWN: Final = [back(n) for n in reversed(range(DAYS))]
PHOTO: Final = "3f9c1f6e-0000-4000-8000-000000000001"
COMING: Final = "3f9c1f6e-0000-4000-8000-000000000002"
"""A photo whose picture has not come up from its node."""
NAMES: Final = (
    "Harbour",
    "旗舰店",
    "Garden Road",
    "Old Market",
    "人民广场",
    "Station",
    "Riverside",
)
ME: Final = UUID(int=1)


def facts_of_shop() -> list[Fact]:
    """Two weeks of one shop that gets worse in every dimension but conversion."""
    facts: list[Fact] = [*experiences(back(10), 200, 30), *experiences(back(20), 150, 20)]
    for n in range(DAYS + 6):
        facts += people(back(n), 13.5 - 0.4 * (DAYS - n) if n < DAYS else 13)
        facts.append(dwell(back(n), 2.4 + 0.07 * n, doubt=0.2 + 0.02 * (n % 4)))
        photo = PHOTO if n == 0 else COMING if n == 1 else PHOTO[:-2] + f"{n + 10:02d}"
        if n % 2 == 0 or n == 1:
            share = 0.64 + 0.02 * n
            facts.append(
                goods(back(n), min(share, 0.97), doubt=0.05, id=f"{photo}:exposure_main_push")
            )
    return facts


class Gate:
    """ASGI middleware: refuses what a fake refuses, and keeps what it was told."""

    def __init__(
        self, app: ASGIApp, refuse: Callable[[str, str, str], JSONResponse | None],
        told: list[tuple[str, str, str]],
    ) -> None:  # fmt: skip
        self._app, self._refuse, self._told = app, refuse, told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        shown = dict(scope["headers"]).get(b"authorization", b"").decode()
        refused = self._refuse(method, path, shown)
        if refused is not None:
            await refused(scope, receive, send)
            return
        body = b""

        async def heard() -> Message:
            nonlocal body
            message = await receive()
            body += message.get("body", b"")
            return message

        async def answered(message: Message) -> None:
            # Before whoever asked can go on.
            if message["type"] == "http.response.start" and method not in ("GET", "HEAD"):
                self._told.append((method, path, body.decode(errors="replace")))
            await send(message)

        await self._app(scope, heard, answered)


@cache
def two_weeks() -> dict[date, tuple[Code, ...]]:
    """The codes of the one shop, as the hub computes them."""
    days = shop_days(SHOP, facts_of_shop(), "UTC")
    return codes_of_days(days, default_policy(), DAYS_SHOWN, now=NOW)


PUSH_KEY = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
"""A public key: the example of RFC 8291."""


@dataclass(slots=True)
class FakeHub:
    """What the fake says, and what it was told."""

    shops: int = 60
    role: Role = "head_office"
    signed_in: bool = True
    paired: list[ShopPhone] = field(default_factory=list)
    told_nodes: bool = False
    """Whether the shop's node knows the code that was made."""
    asked_at: datetime = NOW
    why_held: bool = False
    """As long as it is, a search for causes goes on."""
    turned: dict[str, Shown] = field(default_factory=dict)
    """Shops whose goods have another colour by now; open pages are told of each once."""
    office: FakeOffice = field(default_factory=FakeOffice)
    told: list[tuple[str, str, str]] = field(default_factory=list)
    """Each request that would change something: method, path, body."""

    def app(self) -> FastAPI:
        """The fake as an application."""
        app = FastAPI()
        app.include_router(page_routes("board.html"))
        app.include_router(self._door())
        app.include_router(self._figures())
        app.include_router(self._others())
        app.include_router(self.office.router())
        app.include_router(shelves_router())
        app.add_middleware(Gate, refuse=self._why_refused, told=self.told)
        return app

    def _why_refused(self, method: str, path: str, _shown: str) -> JSONResponse | None:
        is_open = not path.startswith("/api/") or path.startswith("/api/welcome/")
        if is_open or self.signed_in or (method, path) == ("POST", "/api/session"):
            return None
        return refusal(401, "signed_out")

    def me(self) -> ToldPerson:
        """Whoever is signed in."""
        return _person(1, "林晓 Lin Xiao", self.role)

    def _door(self) -> APIRouter:
        routes = APIRouter(prefix="/api")

        @routes.post("/session")
        async def begin(request: Request) -> Any:
            said = await request.json()
            if said["password"] != PASSWORD:
                return refusal(401, "wrong_password")
            self.signed_in = True
            return Me(person=self.me())

        @routes.get("/session")
        def session() -> Me:
            return Me(person=self.me())

        @routes.delete("/session")
        def end() -> dict[str, int]:
            self.signed_in = False
            return {"ended": 1}

        @routes.get("/sessions")
        def sessions() -> list[ToldSession]:
            where = ("192.0.2.7 Firefox 140, Windows", "192.0.2.19 Safari 18, iPhone")
            return [
                ToldSession(
                    id=UUID(int=n), made_at=NOW - timedelta(days=n, hours=3),
                    last_used_at=NOW - timedelta(days=n), where=where[n], this=n == 0,
                )
                for n in range(2)
            ]  # fmt: skip

        @routes.get("/notices/browsers")
        def browsers() -> MyBrowsers:
            return MyBrowsers(key=PUSH_KEY, browsers=())

        @routes.delete("/sessions/{one}")
        def end_one(one: str) -> dict[str, int]:
            return {"ended": 1}

        @routes.get("/welcome/{token}")
        def look(token: str) -> Any:
            if token == "used":
                return refusal(404, "link_used_or_ended")
            if token == "first":
                return LinkFor(kind="first", name="", role="head_office")
            return LinkFor(kind="person", name="赵敏", role="region")

        @routes.post("/welcome/{token}")
        def use(token: str) -> Me:
            self.signed_in = True
            return Me(person=self.me())

        return routes

    def _nodes(self) -> list[PairingNode]:
        return [
            PairingNode(
                node="node-1", address="https://shop-17.example:8443", online=True,
                told=self.told_nodes,
            )
        ]  # fmt: skip

    def _figures(self) -> APIRouter:
        routes = APIRouter(prefix="/api")
        policy = default_policy()
        facts = facts_of_shop()
        days, codes = DAYS_SHOWN, two_weeks()

        @routes.get("/shops")
        def shops() -> list[Shop]:
            return [
                Shop(shop=row.shop, name=row.name, region=row.region, format=row.format)
                for row in board_rows(self.shops, codes[DAY])
            ]

        @routes.get("/board")
        def board(limit: int | None = None) -> list[BoardRow]:
            return board_rows(self.shops, codes[DAY])[:limit]

        @routes.get("/board/columns")
        def columns(shop: Annotated[list[str] | None, Query()] = None) -> BoardColumns:
            rows = board_rows(self.shops, codes[DAY])
            rows = [row for row in rows if shop is None or row.shop in shop]
            return columns_of([turned_row(row, self.turned.get(row.shop)) for row in rows])

        @routes.get("/history")
        def history(shop: Annotated[list[str] | None, Query()] = None) -> History:
            return history_of(self.shops, days, codes, of=shop)

        @routes.get("/shops/{shop}/why")
        async def why(shop: str, dimension: Dimension) -> Why:
            while self.why_held:
                await asyncio.sleep(0.02)
            return why_of(dimension)

        @routes.get("/actions")
        def listed() -> ListedActions:
            found = pushes(codes[DAY], Situation(), policy, playbooks(), now=NOW)
            return ListedActions(actions=tuple(map(listed_action, found)), more=False)

        @routes.get("/shops/{shop}/codes")
        def four(shop: str) -> Any:
            return codes[DAY] if shop == SHOP else refusal(404, "not_there")

        @routes.get("/shops/{shop}/calendar")
        def calendar(shop: str, days: int = DAYS) -> Calendar:
            return calendar_of(days)

        routes.include_router(plane_routes(lambda: board_rows(self.shops, codes[DAY])))

        @routes.get("/shops/{shop}/curves")
        def curves(shop: str, days: int = DAYS) -> Curves:
            return curves_of(days, codes)

        @routes.get("/shops/{shop}/figures")
        def series(shop: str, metric: str, by: Grain) -> Series:
            return series_of(shop, metric, by)

        @routes.get("/shops/{shop}/actions")
        def actions(shop: str) -> ShopActions:
            found = pushes(codes[DAY], Situation(), policy, playbooks(), now=NOW)
            return ShopActions(
                actions=tuple(
                    ToldAction(**_fields(one), state="delivered", delivered_at=NOW) for one in found
                ),
                care_messages=CareMessages(reached_72h=7, sent=0, why=""),
            )

        @routes.get("/policy")
        def the_policy() -> Any:
            return policy

        @routes.get("/policy/draft")
        def draft() -> Any:
            return policy

        @routes.post("/policy/try")
        def try_it() -> Trial:
            return trial_of()

        @routes.post("/policy/publish")
        def publish() -> Any:
            return policy

        @routes.get("/facts")
        def told() -> dict[str, Any]:
            since = datetime.combine(back(6), datetime.min.time(), UTC)
            shown = [asdict(_told(one)) for one in facts if one.start >= since]
            return {"facts": sorted(shown, key=lambda one: one["started_at"]), "more": False}

        @routes.get("/shops/{shop}/photos/{photo}/annotated.jpg")
        def picture(shop: str, photo: str) -> Response:
            if photo == COMING:
                return refusal(404, "not_there_yet")
            return Response(drawn_shelf(), media_type="image/jpeg")

        return routes

    def _others(self) -> APIRouter:
        routes = APIRouter(prefix="/api")

        @routes.get("/people")
        def everybody() -> list[ListedPerson]:
            return [
                _listed(self.me(), 200),
                _listed(_person(2, "赵敏", "region", regions=("East",)), 90),
                _listed(_person(3, "Jonas Weber", "region", regions=("North", "West")), 60),
                _listed(_person(4, "Mia (till)", "clerk", shops=(SHOP, "0002")), 12),
                _listed(_person(5, "Installer Ltd.", "installer"), 3, welcomed=False),
                _listed(_person(6, "Olga", "region", regions=("East",)), 150, ended=True),
            ]

        @routes.post("/people", status_code=201)
        @routes.post("/people/{one}/link", status_code=201)
        def invite() -> Invited:
            person = _person(9, "New", "installer")
            return Invited(person=person, link="/#/welcome/5rFQJH2rkN1iT0c3m8xYb7ZpVQeLw4uS")

        @routes.get("/nodes")
        def nodes() -> list[Node]:
            return [
                Node(
                    address=Address("chain", f"shop-{n}", "node-1"), first_seen=NOW,
                    last_seen=NOW - timedelta(minutes=n * 7), online=n % 3 != 1, last_state=None,
                )
                for n in range(5)
            ]  # fmt: skip

        @routes.post("/shops/{shop}/pairing")
        def pairing(shop: str) -> NewPairingCode:
            self.asked_at = datetime.now(UTC)
            ends_at = self.asked_at + timedelta(minutes=14, seconds=59)
            return NewPairingCode(code="7K3M-Q9XD", ends_at=ends_at, nodes=self._nodes())

        @routes.get("/shops/{shop}/pairing")
        def pairing_nodes(shop: str) -> list[PairingNode]:
            self.told_nodes = True
            return self._nodes()

        @routes.get("/shops/{shop}/phones")
        def phones(shop: str) -> list[ShopPhone]:
            return self.paired

        @routes.get("/events")
        def events(request: Request) -> StreamingResponse:
            return StreamingResponse(self._stream(request), media_type="text/event-stream")

        return routes

    async def _stream(self, request: Request) -> AsyncIterator[str]:
        told = dict(self.turned)
        yield 'retry: 2000\nevent: changed\ndata: {"number": 0, "shops": null}\n\n'
        while not await request.is_disconnected():
            await asyncio.sleep(0.2)
            new = [shop for shop, colour in self.turned.items() if told.get(shop) != colour]
            told = dict(self.turned)
            data = json.dumps({"number": len(told), "shops": new})
            yield f"event: changed\ndata: {data}\n\n" if new else ": still here\n\n"


def refusal(status: int, code: str) -> JSONResponse:
    """The API's one shape of errors."""
    error = {"code": code, "message": f"({code} in English)", "retryable": False}
    return JSONResponse({"error": error}, status)


def board_rows(shops: int, four: tuple[Code, ...]) -> list[BoardRow]:
    """The shop whose page there is, and others in every state."""
    rows = [_row(SHOP, "Harbour", 0, four, own_colour(four))]
    for n in range(2, shops + 1):
        codes = tuple(_turned(code, n) for code in four)
        rows.append(_row(f"{n:04d}", f"{NAMES[n % len(NAMES)]} {n}", n, codes, own_colour(codes)))
    return rows


def _turned(code: Code, n: int) -> Code:
    at = (n * 7 + DIMENSIONS.index(code.dimension) * 3) % len(COLOURS)
    colour = COLOURS[at]
    known = colour != "unknown"
    value = None if not known else round((code.turns_green_at or 1) * (1.15 - at * 0.04), 4)
    fields = {name: getattr(code, name) for name in Code.__dataclass_fields__}
    changed: dict[str, Any] = {
        "colour": colour, "value": value, "low": value, "high": value, "turning": None,
        "probability": None if not known else 0.7 if n % 5 == 0 else 0.97,
    }  # fmt: skip
    return Code(**fields | changed)


def _row(shop: str, name: str, n: int, codes: tuple[Code, ...], own: Shown) -> BoardRow:
    return BoardRow(
        shop=shop, name=name, region=("East", "North", "West")[n % 3], assigned=True,
        format=("mall", "street")[n % 2], simulated=True, colour=own,
        codes=tuple(
            BoardCode(
                dimension=one.dimension, colour=one.colour, probability=one.probability,
                turning=one.turning, value=one.value, unit=one.unit, rule=one.rule,
                rule_zh=one.rule_zh,
            )
            for one in codes
        ),
    )  # fmt: skip


def history_of(
    shops: int, days: list[date], codes: dict[date, tuple[Code, ...]],
    *, of: list[str] | None = None,
) -> History:  # fmt: skip
    """Fourteen days of every shop, or `of` some; each ends in the colour that the board shows."""
    rows = board_rows(shops, codes[DAY])
    told = []
    for n, row in enumerate(rows):
        if of is not None and row.shop not in of:
            continue
        four = []
        for at, code in enumerate(row.codes):
            today: Any = code.colour
            colours: list[Any] = [
                COLOURS[(n + at + day // 4) % len(COLOURS)] for day in range(DAYS)
            ]
            colours[-1 - (n + at) % 6 :] = [today] * (1 + (n + at) % 6)
            four.append(DimensionHistory(dimension=code.dimension, colours=tuple(colours)))
        own = tuple(
            min((one.colours[day] for one in four), key=COLOURS.index) for day in range(DAYS - 1)
        )
        told.append(ShopHistory(shop=row.shop, own=(*own, row.colour), dimensions=tuple(four)))
    return History(days=tuple(days), shops=tuple(told))


def _person(n: int, name: str, role: Role, **reach: Any) -> ToldPerson:
    given: dict[str, Any] = {"regions": (), "shops": ()} | reach
    return ToldPerson(id=UUID(int=n), name=name, role=role, rights=tuple(RIGHTS[role]), **given)


def _listed(
    person: ToldPerson, days: int, *, welcomed: bool = True, ended: bool = False
) -> ListedPerson:
    return ListedPerson(
        **_fields(person),
        welcomed=welcomed,
        made_at=NOW - timedelta(days=days),
        ended_at=NOW if ended else None,
    )


def _told(fact: Fact) -> ToldFact:
    return ToldFact(
        id=fact.id, shop=fact.shop, metric=fact.metric, started_at=fact.start, ended_at=fact.end,
        value=fact.value, low=fact.low, high=fact.high, n=fact.n, coverage=fact.coverage,
        independent=fact.independent, dims=fact.dims, method=fact.method, source=fact.source,
        received_at=fact.end,
    )  # fmt: skip


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in type(value).__dataclass_fields__}
