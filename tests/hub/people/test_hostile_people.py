"""Who may not, gets nothing: another region, old sessions, changed cookies, foreign pages.

The last tests switch the API's checks off: what then still holds, the database does by itself.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from hub.api.app import create_app
from hub.api.news import News, hear_news
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.people.roles import RIGHTS, Person, Session
from hub.people.sessions import needs, perhaps_signed_in, signed_in
from hub.people.store import end_person, sessions_of
from hub.scheduler import Scheduler
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from hub.taps.store import insert_checklist
from storepulse.checklists import Checklist, ChecklistItem, Sentence
from tests.hub.conftest import empty
from tests.hub.hostile_ways import (
    EAST,
    EAST_ACTION,
    EAST_LIST,
    EAST_PHONE,
    MARK,
    WAYS,
    WEST,
    Way,
)
from tests.hub.shop_facts import DAY, goods, midnight
from tests.hub.staff import make_person, session_for, sign_in_quietly
from tests.hub.visitor import ADDRESS, Visitor

NOON = midnight(DAY) + timedelta(hours=12)
PUBLIC = {
    ("POST", "/api/session"),
    ("GET", "/api/welcome/{token}"),
    ("POST", "/api/welcome/{token}"),
    ("GET", "/api/account"),
    ("POST", "/api/account"),
    ("GET", "/api/account/back"),
    ("POST", "/api/feeds/{feed}/rows"),  # signed: tests/hub/feeds
    # Customers, by the secret of a ticket or of a message.
    ("GET", "/api/tickets/{token}"),
    ("POST", "/api/tickets/{token}/consent"),
    ("DELETE", "/api/tickets/{token}/consent"),
    ("POST", "/api/way-out/{token}"),
}
ENDLESS = "/api/events"


def build(database: Database) -> None:
    """A chain of two shops; what is of the east carries the mark."""
    empty(database)
    with database.connection() as connection:
        for shop, region, mark in ((EAST, "east", MARK), (WEST, "west", "of the west")):
            save_shop(connection, Shop(shop=shop, name=f"{shop} {mark}", region=region))
            fact = goods(DAY, 0.6, doubt=0.02, shop=shop, id=f"fact {mark}", method=f"m {mark}")
            insert_facts(connection, [SaidFact(fact)], received_at=NOON)
            insert_checklist(connection, checklist(shop, mark), node_path=path(shop))
    Scheduler(database).step(NOON)
    with database.connection() as connection:
        said = {"path": path(EAST), "east": EAST, "mark": MARK, "id": EAST_ACTION,
                "phone": EAST_PHONE}  # fmt: skip
        for text in (
            "insert into nodes (node_path, chain, shop, node, last_state) values"
            " (%(path)s, 'c', %(east)s, 'n', jsonb_build_object('phones', %(mark)s::text))",
            "insert into phones (shop, phone, node_path, name, paired_at)"
            " values (%(east)s, %(phone)s, %(path)s, %(mark)s, now())",
            "insert into streams (node_path, epoch) values (%(path)s, %(mark)s)",
            "insert into quarantine (node_path, epoch, number, reason, raw, received_at)"
            " values (%(path)s, 'e', 1, 'why', %(mark)s, now())",
            "insert into alarms (kind, node_path, detail, raised_at)"
            " values ('k', %(path)s, %(mark)s, now())",
            # An id that can be guessed: even so it leads nowhere.
            "insert into actions (id, shop, kind, dimension, day, subject, body, state, created_at,"
            " due_at) select %(id)s, shop, kind, dimension, day, 'marked',"
            " jsonb_set(jsonb_set(body, '{id}', to_jsonb(%(id)s::text)),"
            " '{reason}', to_jsonb(%(mark)s::text)), state, created_at, due_at"
            " from actions where shop = %(east)s and kind = 'correction_checklist' limit 1",
        ):
            connection.execute(text, said)


def path(shop: str) -> str:
    return f"/storepulse/c/{shop}/n"


def checklist(shop: str, mark: str) -> Checklist:
    return Checklist(
        id=EAST_LIST if shop == EAST else "list-of-west", shop=shop, bay="b1", photo="p",
        planogram="plan", planogram_version=1, made_at=NOON - timedelta(minutes=30),
        items=(
            ChecklistItem(
                id="i1", kind="missing", sentence=Sentence(en=mark, zh="补货"),
                box_xyxy_px=(0, 0, 1, 1), confidence=0.9,
            ),
        ),
    )  # fmt: skip


class House:
    """A chain, its manager of the west, and somebody of head office."""

    def __init__(self, database: Database, app: FastAPI) -> None:
        self.database = database
        make_person(database, f"Bo {MARK}", "clerk", shops=[EAST])
        self.ann, head = session_for(database, "head_office", name="Ann")
        self.manager, west = session_for(database, "region", regions=["west"], name="West")
        make_person(database, "Second", "head_office")
        self.head = Visitor(database, token=head, app=app)
        self.west = Visitor(database, token=west, app=app)
        self.west_token = west

    def ask(self, visitor: Visitor, way: Way) -> httpx.Response:
        body: Any = way.body
        return visitor.ask(way.method, self.filled(way.path), json=body, headers=way.headers)

    def filled(self, path: str) -> str:
        ids = {"me": self.manager.person.id, "head": self.ann.person.id}
        with self.database.connection() as connection:
            found = sessions_of(connection, self.ann.person.id)
        ids["head_session"] = found[0].id if found else self.ann.id
        for name, value in ids.items():
            path = path.replace(f"{{{name}}}", str(value))
        return path


@pytest.fixture(scope="module")
def chain(session_database: Database) -> tuple[Database, FastAPI]:
    build(session_database)
    return session_database, create_app(session_database, now=lambda: NOON)


@pytest.fixture
def house(chain: tuple[Database, FastAPI]) -> House:
    database, app = chain
    with database.connection() as connection:
        for table in (
            "pairing_codes",
            "action_turns",
            "welcome_links",
            "sessions",
            "person_regions",
            "person_shops",
            "people",
        ):
            connection.execute(f"delete from {table}")  # type: ignore[call-overload]
    return House(database, app)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_manager_of_another_region_gets_nothing(house: House, way: Way) -> None:
    answer = house.ask(house.west, way)
    assert answer.status_code == way.status, answer.text
    assert MARK not in answer.text
    if way.code is not None:
        assert answer.json()["error"]["code"] == way.code
    # Head office gets there by the same way: it is no wall.
    allowed = house.ask(house.head, way)
    assert allowed.status_code == way.head_status, allowed.text
    assert (MARK in allowed.text) == way.shows


def test_there_are_more_than_twenty_ways() -> None:
    assert len(WAYS) > 20


@pytest.mark.parametrize(
    "kind",
    ["/api/shops/{}/codes", "/api/facts?shop={}", "/api/checklists/{}", "/api/actions/{}",
     "/api/shops/{}/phones", "/api/shops/{}/pairing",
     "/api/shops/{}/figures?metric=exposure_main_push"],
)  # fmt: skip
def test_what_is_anothers_answers_as_what_is_not(house: House, kind: str) -> None:
    ids = {"/api/checklists/{}": EAST_LIST, "/api/actions/{}": EAST_ACTION}
    taken, free = ids.get(kind, EAST), "nothing-1"
    one, other = house.west.get(kind.format(taken)), house.west.get(kind.format(free))
    assert one.status_code == other.status_code == 404
    assert one.text.replace(taken, free) == other.text
    assert one.headers.keys() == other.headers.keys()


def test_the_days_behind_are_those_of_ones_shops(house: House) -> None:
    assert [one["shop"] for one in house.west.get("/api/history").json()["shops"]] == [WEST]
    both = house.head.get("/api/history").json()["shops"]
    assert [one["shop"] for one in both] == [EAST, WEST]
    assert [one["shop"] for one in house.west.get("/api/figures").json()["shops"]] == [WEST]
    both = house.head.get("/api/figures").json()["shops"]
    assert [one["shop"] for one in both] == [EAST, WEST]


def test_an_installer_reads_no_figure(house: House) -> None:
    _, token = session_for(house.database, "installer")
    visitor = Visitor(house.database, token=token, app=house.head.app)
    for path in ("/api/board", f"/api/facts?shop={EAST}", f"/api/shops/{EAST}/codes", ENDLESS):
        assert visitor.get(path).json()["error"]["code"] == "not_yours"
    assert MARK in visitor.get("/api/nodes").text


def test_a_clerk_sees_no_node(house: House) -> None:
    _, token = session_for(house.database, "clerk", shops=[EAST])
    visitor = Visitor(house.database, token=token, app=house.head.app)
    assert MARK in visitor.get(f"/api/facts?shop={EAST}").text
    for path in ("/api/nodes", "/api/streams", "/api/quarantine", "/api/people"):
        assert visitor.get(path).json()["error"]["code"] == "not_yours"


def routes_of(visitor: Visitor) -> list[tuple[str, str]]:
    """Method and path of every route below /api, whoever made it."""
    document = visitor.get("/openapi.json").json()["paths"]
    return [
        (method.upper(), path)
        for path, methods in document.items()
        if path.startswith("/api/")
        for method in methods
    ]


def some(path: str) -> str:
    """A path with something in the place of its names; its shop is of the east."""
    path = path.replace("{shop}", EAST).replace("{action}", EAST_ACTION)
    path = path.replace("{checklist}", EAST_LIST).replace("{id}", str(UUID_OF_NOBODY))
    return re.sub(r"\{\w+\}", "x", path) + f"?shop={EAST}"


UUID_OF_NOBODY = "6b1f3a52-2c1e-4f0b-9a66-0d3f1f0f7c11"

ENDINGS = {
    "ended by sign-out": "update sessions set ended_at = now()",
    "its person was ended": "update people set ended_at = now()",
    "not used for twelve hours": "update sessions set last_used_at = now() - interval '12 hours'",
    "thirty days old": "update sessions set made_at = now() - interval '30 days'",
}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_no_route_knows_an_ended_session(house: House, ending: str) -> None:
    with house.database.connection() as connection:
        connection.execute(ending)  # type: ignore[call-overload]
    routes = routes_of(house.head)
    assert len(routes) > 25
    assert set(routes) >= PUBLIC
    for method, route in routes:
        if (method, route) in PUBLIC:
            continue
        answer = house.head.ask(method, some(route), json={})
        assert answer.status_code == 401, f"{method} {route}: {answer.text}"
        assert answer.json()["error"]["code"] == "signed_out"


def test_a_stranger_gets_the_page_and_nothing_else(house: House) -> None:
    stranger = house.head.other()
    for method, route in routes_of(stranger):
        if (method, route) not in PUBLIC:
            assert stranger.ask(method, some(route), json={}).status_code == 401, route
    assert stranger.get("/healthz").json() == {"status": "ok"}
    assert stranger.get("/docs").status_code == 200


def _flipped(token: str) -> str:
    return ("B" if token[0] == "A" else "A") + token[1:]


COOKIES = {
    "a letter changed": _flipped,
    "cut short": lambda token: token[:-1],
    "a letter more": lambda token: token + "A",
    "other case": str.swapcase,
    "empty": lambda token: "",
    "far too long": lambda token: token * 100,
    "the checksum itself": lambda token: "00" * 32,
    "SQL": lambda token: "' or '1'='1",
    "not for a text": lambda token: "%00%ff",
}


@pytest.mark.parametrize("change", COOKIES.values(), ids=COOKIES)
def test_a_changed_cookie_is_nobodys(house: House, change: Any) -> None:
    headers = {"cookie": f"storepulse={change(house.west_token)}; role=head_office"}
    answer = house.head.other().get("/api/board", headers=headers)
    assert answer.json()["error"]["code"] == "signed_out"


def test_over_https_only_the_cookie_that_is_bound_to_the_host_counts(house: House) -> None:
    visitor = Visitor(house.database, app=house.head.app, address="https://127.0.0.1:8080")
    for name, status in (("storepulse", 401), ("__Host-storepulse", 200)):
        cookie = {"cookie": f"{name}={house.west_token}"}
        assert visitor.get("/api/board", headers=cookie).status_code == status
    # And over plain http, where anybody on the way could have set it, that name does not.
    cookie = {"cookie": f"__Host-storepulse={house.west_token}"}
    assert house.head.other().get("/api/board", headers=cookie).status_code == 401


FOREIGN = {
    "another site": {"origin": "https://evil.example"},
    "another port": {"origin": "http://127.0.0.1:9999"},
    "another scheme": {"origin": ADDRESS.replace("http", "https")},
    "our name in front": {"origin": ADDRESS + ".evil.example"},
    "a page without a place": {"origin": "null"},
    "said by the browser": {"origin": ADDRESS, "sec-fetch-site": "cross-site"},
    "a neighbour, said by the browser": {"sec-fetch-site": "same-site"},
    "a form": {"content-type": "application/x-www-form-urlencoded"},
    "a form with a file": {"content-type": "multipart/form-data; boundary=x"},
    "a form of plain text": {"content-type": "text/plain"},
    "no word of what it is": {"content-type": ""},
}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/api/session"),
        ("POST", "/api/session"),
        ("POST", "/api/people"),
        ("PATCH", "/api/people/{me}"),
    ],
    ids=["sign-out", "sign-in", "invite", "role"],
)
def test_a_foreign_page_changes_nothing(house: House, method: str, path: str) -> None:
    body = {"role": "head_office", "name": "Eve"}
    for name, headers in FOREIGN.items():
        answer = house.head.ask(method, house.filled(path), json=body, headers=headers)
        assert answer.status_code == 403, name
        assert answer.json()["error"]["code"] == "foreign_origin", name
    assert house.head.get("/api/session").status_code == 200


def test_our_own_page_may(house: House) -> None:
    own = {"origin": ADDRESS, "sec-fetch-site": "same-origin"}
    asked = f"/api/people/{house.manager.person.id}"
    answer = house.head.patch(asked, json={"role": "region", "regions": ["east"]}, headers=own)
    assert answer.status_code == 200, answer.text
    # It counts at once, for a session that is open.
    assert MARK in house.west.get("/api/board").text


def test_a_body_has_an_end(house: House) -> None:
    long = house.head.post("/api/session", content=b"{" + b" " * 70_000)
    assert long.json()["error"]["code"] == "too_large"

    async def parts() -> Any:
        yield b"{}"

    endless = house.head.post("/api/session", content=parts())
    assert endless.json()["error"]["code"] == "length_needed"


LARGE = 1_000_000


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("POST", "/api/plans/p1/publish", 413, id="parsed before it is known who asks"),
        pytest.param("PUT", "/api/plans/p1/draft", 401, id="draft"),
        pytest.param("POST", "/api/plans/p1/photo?bay=b1", 401, id="photo"),
        pytest.param("POST", "/api/plans/p1/nothing", 413, id="no route"),
    ],
)
async def test_a_strangers_large_body_is_not_read(
    house: House, method: str, path: str, status: int
) -> None:
    async def body() -> AsyncIterator[bytes]:
        raise AssertionError("it was read")
        yield b""

    transport = httpx.ASGITransport(house.head.app)
    headers = {"content-type": "application/json", "content-length": str(LARGE)}
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
        answer = await client.request(method, path, content=body(), headers=headers)
    assert answer.status_code == status, answer.text


def test_no_answer_with_figures_is_kept_by_a_browser(house: House) -> None:
    for route in ("/api/board", "/api/board.csv", "/api/session"):
        assert house.head.get(route).headers["cache-control"] == "no-store"


async def test_an_open_stream_ends_with_its_person(house: House) -> None:
    news = News()
    hearing = asyncio.create_task(hear_news(house.database, news))
    visitor = Visitor(house.database, news=news)
    transport = httpx.ASGITransport(visitor.app)
    cookie = {"cookie": f"storepulse={house.west_token}"}
    try:
        async with (
            asyncio.timeout(60),
            httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client,
        ):
            while not news.number:
                await asyncio.sleep(0.01)
            stream = asyncio.create_task(client.get(ENDLESS, headers=cookie))
            while not news._pages:
                await asyncio.sleep(0.01)

            def end() -> None:
                with house.database.connection() as connection:
                    end_person(connection, house.manager.person.id)

            await asyncio.to_thread(end)
            said = (await stream).text
    finally:
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
    assert said.endswith("event: ended\ndata: signed_out\n\n")


# --- The API's checks switched off ---


def let_through(house: House, session: Session) -> Visitor:
    """The application with every check of a session or right replaced: all may, as head office."""
    visitor = Visitor(house.database, now=lambda: NOON)
    everything = {right for rights in RIGHTS.values() for right in rights}
    for check in (signed_in, perhaps_signed_in, *(needs(right) for right in everything)):
        visitor.app.dependency_overrides[check] = lambda: session
    return visitor


def posing_as_head_office(token_sha256: bytes, session: Session) -> Session:
    boss = Person(id=session.person.id, name="boss", role="head_office")
    return Session(id=session.id, person=boss, token_sha256=token_sha256)


def readable(visitor: Visitor) -> list[str]:
    return [path for method, path in routes_of(visitor) if method == "GET" and path != ENDLESS]


def read_all(visitor: Visitor) -> dict[str, str]:
    return {route: visitor.get(some(route)).text for route in readable(visitor)}


def test_without_the_apis_checks_head_office_still_reads(house: House) -> None:
    """The control: what the next two tests find missing is there."""
    found = read_all(let_through(house, house.ann))
    marked = {route for route, text in found.items() if MARK in text}
    assert {"/api/board", "/api/facts", "/api/nodes", "/api/people"} <= marked
    assert len(marked) >= 14


def test_without_the_apis_checks_the_database_gives_a_manager_his_shops(house: House) -> None:
    session = posing_as_head_office(house.manager.token_sha256, house.manager)
    visitor = let_through(house, session)
    for route, text in read_all(visitor).items():
        assert MARK not in text, route
    assert [row["shop"] for row in visitor.get("/api/board").json()] == [WEST]
    for way in WAYS.values():
        assert MARK not in house.ask(visitor, way).text, way.path
    with house.database.connection() as connection:
        roles = connection.execute("select name, role from people order by name").fetchall()
    assert {"name": "West", "role": "region"} in roles
    assert not any(row["name"] == "Eve" for row in roles)


@pytest.mark.parametrize("secret", ["ended", "made up"])
def test_without_the_apis_checks_no_session_means_no_row(house: House, secret: str) -> None:
    if secret == "ended":
        with house.database.connection() as connection:
            connection.execute("update sessions set ended_at = now()")
    sha256 = house.ann.token_sha256 if secret == "ended" else b"\1" * 32
    visitor = let_through(house, posing_as_head_office(sha256, house.ann))
    for route, text in read_all(visitor).items():
        assert MARK not in text, route
        assert WEST not in text, route
    for lists in ("/api/shops", "/api/board", "/api/nodes", "/api/streams", "/api/alarms"):
        assert visitor.get(lists).json() == [], lists
    assert visitor.get(f"/api/facts?shop={WEST}").status_code == 404
    assert len(visitor.get("/api/board.csv").text.splitlines()) == 1
    invited = {"name": "Eve", "role": "head_office"}
    assert visitor.post("/api/people", json=invited).status_code >= 400
    assert sign_in_quietly(house.database, house.ann.person.id)  # the house itself still works
