"""The node's API opens to a paired phone and to its owner; everybody else is refused everywhere."""

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.routing import Route

from edge.api import Parts, make_app
from edge.disk import Disk
from edge.lock import COOKIE, PUBLIC, SECURE_COOKIE
from edge.outbox import Outbox
from edge.pairing import Phones
from storepulse.node_config import NodeConfig
from storepulse.phones import PAIRED_FOR, OpenCode, code_sha256
from tests.edge.samples import PLAN, StandingClock
from tests.edge.shop import ORIGIN, OWNER_KEY, UUID, Shop, error

OWNERS = {
    ("PUT", "/api/planograms/{planogram}"),
    ("GET", "/api/installer"), ("GET", "/api/installer/doctor"),
    ("POST", "/api/installer/test-photo"), ("POST", "/api/installer/pairing-code"),
    ("POST", "/api/installer/enrol"),
}  # fmt: skip
"""What a paired phone may not."""


def ways(shop: Shop) -> Iterator[tuple[str, str, str]]:
    """Method, template and a path of every route that the app has."""
    seen = set()
    for route in _flat(shop):
        for method in sorted(route.methods or ()):
            seen.add((method, route.path))
            yield method, route.path, re.sub(r"\{\w+\}", f"{UUID}1", route.path)
    assert len(seen) > 20


def _flat(shop: Shop) -> Iterator[Route | APIRoute]:
    for route in shop.app.routes:
        inside = getattr(route, "original_router", None)
        for one in inside.routes if inside is not None else [route]:
            assert isinstance(one, Route | APIRoute), f"{one} is no route that this test knows"
            yield one


async def test_an_unpaired_phone_is_refused_on_every_route_that_is_not_public(shop: Shop) -> None:
    stranger = shop.browser()
    opened = set()
    for method, template, path in ways(shop):
        answer = await stranger.request(method, path)
        if answer.status_code == 401:
            # The answer to HEAD has no body.
            assert method == "HEAD" or error(answer) == (401, "unpaired", False)
        else:
            opened.add((method, template))
    assert opened == {
        ("GET", "/"), ("GET", "/sw.js"), ("GET", "/assets/{name}"), ("POST", "/api/pair"),
        ("GET", "/app.webmanifest"), ("GET", "/push.js"), ("GET", "/installer"),
        ("GET", "/healthz"), ("GET", "/docs"), ("GET", "/openapi.json"),
    }  # fmt: skip
    # Of the authority's certificate only an enrolled node has a route.
    assert {("GET", "/ca.pem"), *opened} - {("GET", "/assets/{name}")} == PUBLIC


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/api", "/api/", "/api/pair/", "//api/pair", "/assets/../api/actions",
     "/assets/..%2fapi%2factions", "/api/pair%2f..%2factions", "/API/actions", "/docs/x"],
)  # fmt: skip
async def test_another_spelling_of_a_path_opens_nothing(shop: Shop, path: str) -> None:
    stranger = shop.browser()
    for method in ("GET", "POST", "HEAD", "OPTIONS", "TRACE", "SLURP"):
        answer = await stranger.request(method, httpx.URL(ORIGIN + path))
        assert answer.status_code in (401, 404), (method, path)
        if answer.status_code == 404:
            assert method == "GET"
            assert path.startswith("/assets/")


async def test_the_list_of_routes_runs_no_code_from_elsewhere(shop: Shop) -> None:
    answer = await shop.browser().get("/docs")
    assert "http" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_a_paired_phone_may_all_but_what_is_its_owners(shop: Shop) -> None:
    for method, template, path in ways(shop):
        if (method, template) == ("DELETE", "/api/phone"):
            continue
        answer = await shop.phone.request(method, path)
        refused = (method, template) in OWNERS
        assert (answer.status_code in (401, 403)) == refused, (method, template, answer.text)
    newer = {**PLAN, "version": 2}
    assert error(await shop.phone.put("/api/planograms/plan", json=newer)) == (
        403, "not_yours", False,
    )  # fmt: skip


async def test_the_owner_may_all(shop: Shop) -> None:
    for method, template, path in ways(shop):
        answer = await shop.owner.request(method, path)
        # The owner is no phone.
        refused = template in ("/api/phone", "/api/push") or template.startswith("/api/staff")
        assert (answer.status_code in (401, 403)) == refused, (method, template, answer.text)


@pytest.mark.parametrize(
    "shown",
    ["", "Bearer", "Bearer ", f"Basic {OWNER_KEY}", "Bearer another", f"Bearer {OWNER_KEY}x",
     f"Bearer {OWNER_KEY[:-1]}", OWNER_KEY],
)  # fmt: skip
async def test_another_key_is_no_owners(shop: Shop, shown: str) -> None:
    stranger = shop.client(headers={"authorization": shown})
    assert error(await stranger.get("/api/actions")) == (401, "unpaired", False)
    assert (await stranger.get("/healthz")).json() == {"status": "ok"}


async def test_a_stranger_learns_whether_all_is_well_and_nothing_else(shop: Shop) -> None:
    for anybody in (shop.browser(), shop.phone):
        assert (await anybody.get("/healthz")).json() == {"status": "ok"}
    assert set((await shop.owner.get("/healthz")).json()) > {"status", "outbox", "link", "workers"}


async def test_no_cache_keeps_what_a_phone_was_shown(shop: Shop) -> None:
    annotated = (await shop.snap(1)).json()["annotated_url"]
    for path in ("/api/actions", annotated, "/api/phone", f"/api/photos/{UUID}1"):
        for who in (shop.phone, shop.browser()):
            assert (await who.get(path)).headers["cache-control"] == "no-store"


# A phone that was ended


async def test_a_stolen_cookie_is_worth_nothing_once_the_phone_has_gone(shop: Shop) -> None:
    thief = shop.browser()
    thief.cookies.set(COOKIE, shop.phone.cookies[COOKIE], domain="127.0.0.1")
    assert (await thief.get("/api/actions")).status_code == 200
    gone = await shop.phone.delete("/api/phone")
    assert gone.status_code == 200
    assert COOKIE not in shop.phone.cookies, "the phone forgets it"
    for _ in range(2):
        assert error(await thief.get("/api/actions")) == (401, "unpaired", False)
        assert error(await thief.get("/api/phone")) == (401, "unpaired", False)
        assert error(await thief.delete("/api/phone")) == (401, "unpaired", False)


async def test_a_phone_that_another_process_ends_is_ended_at_once(
    shop: Shop, now: StandingClock
) -> None:
    (phone,) = shop.phones.all()
    # As `storepulse edge phones end` does it, beside the running node.
    beside = Disk(shop.disk.path.parent)
    Phones(beside, Outbox(beside, node="", bytes_max=2**30)).end(phone.phone, now())
    beside.close()
    assert error(await shop.phone.get("/api/actions")) == (401, "unpaired", False)


async def test_a_phone_that_the_hub_ends_is_ended_with_its_configuration(
    shop: Shop, now: StandingClock
) -> None:
    (phone,) = shop.phones.all()
    assert shop.phones.take_config(NodeConfig(revision=1, ended=(phone.phone,)), now())
    assert error(await shop.phone.get("/api/actions")) == (401, "unpaired", False)


async def test_a_phone_is_paired_for_400_days(shop: Shop, now: StandingClock) -> None:
    now.forward(PAIRED_FOR - timedelta(seconds=1))
    assert (await shop.phone.get("/api/phone")).status_code == 200
    now.forward(timedelta(seconds=1))
    assert error(await shop.phone.get("/api/phone")) == (401, "unpaired", False)


@pytest.mark.parametrize("token", ["", "x", "' or 1=1 --", "\x00", "é" * 50, "a" * 100_000])
async def test_a_made_up_cookie_opens_nothing(shop: Shop, token: str) -> None:
    header = f"{COOKIE}={token}".encode("latin-1")
    answer = await shop.client().get("/api/actions", headers=[(b"cookie", header)])
    assert error(answer) == (401, "unpaired", False)


async def test_the_checksum_that_the_hub_knows_is_no_token(shop: Shop) -> None:
    with shop.disk.reading() as db:
        (kept,) = db.execute("select token_sha256 from phones").fetchone()
    thief = shop.browser()
    thief.cookies.set(COOKIE, kept, domain="127.0.0.1")
    assert error(await thief.get("/api/actions")) == (401, "unpaired", False)


# Pages of elsewhere

TAP = {"uuid": f"{UUID}1", "kind": "reception"}


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:81",
     "http://127.0.0.1.evil.example", "http://localhost", ""],
)  # fmt: skip
async def test_a_page_of_elsewhere_writes_nothing(shop: Shop, origin: str) -> None:
    for who in (shop.phone, shop.owner):
        answer = await who.post("/api/taps", json=TAP, headers={"origin": origin})
        assert error(answer) == (403, "foreign_origin", False)
        answer = await who.delete(f"/api/taps/{UUID}1", headers={"origin": origin})
        assert error(answer) == (403, "foreign_origin", False)
    assert shop.said() == []


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; a=b"]
)
async def test_a_form_without_an_origin_writes_nothing(shop: Shop, kind: str) -> None:
    """What an old browser's form of elsewhere could send, with the phone's cookie."""
    form = shop.client(cookies=shop.phone.cookies)
    headers = {"content-type": kind} if kind else {}
    answer = await form.post("/api/taps", content=b"{}", headers=headers)
    assert error(answer) == (403, "foreign_origin", False)
    program = await form.post("/api/taps", json=TAP)
    assert program.status_code == 200, "a program that says JSON may"


async def test_a_page_of_elsewhere_pairs_nobody(shop: Shop, now: StandingClock) -> None:
    code, _ = shop.phones.make_code(now())
    asked = {"code": code, "uuid": f"{UUID}5", "name": "x"}
    for headers in ({"origin": "http://evil.example"}, {"content-type": "text/plain"}):
        answer = await shop.client().post("/api/pair", json=asked, headers=headers)
        assert error(answer) == (403, "foreign_origin", False)
    assert len(shop.phones.all()) == 1


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
async def test_a_name_that_is_not_the_nodes_is_refused(shop: Shop, host: str) -> None:
    for path in ("/", "/healthz", "/api/actions"):
        answer = await shop.owner.get(path, headers={"host": host})
        assert error(answer) == (421, "wrong_host", False)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:9", "[::1]", "[::1]:9"])
async def test_the_nodes_own_names_are_heard(shop: Shop, host: str) -> None:
    assert (await shop.browser().get("/healthz", headers={"host": host})).status_code == 200


async def test_a_websocket_is_closed_before_it_opens(shop: Shop) -> None:
    sent = []

    async def send(message: object) -> None:
        sent.append(message)

    async def receive() -> dict[str, str]:
        raise AssertionError("nothing is read")

    await shop.app({"type": "websocket", "path": "/api/pair", "headers": []}, receive, send)  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close", "code": 1008}]


async def test_nothing_of_a_refused_upload_is_read(shop: Shop) -> None:
    taken = 0

    async def body() -> object:
        nonlocal taken
        for _ in range(10):
            taken += 1
            yield b"0" * 1000

    answer = await shop.browser().post("/api/photos", content=body())  # type: ignore[arg-type]
    assert (answer.status_code, taken) == (401, 0)


# Over TLS


async def test_over_tls_only_the_cookie_counts_that_no_plain_page_can_set(shop: Shop) -> None:
    code, _ = shop.phones.make_code(shop.now())
    transport = httpx.ASGITransport(app=shop.app)
    async with httpx.AsyncClient(
        transport=transport, base_url="https://127.0.0.1", headers={"origin": "https://127.0.0.1"}
    ) as phone:
        asked = {"code": code, "uuid": f"{UUID}5", "name": "x"}
        said = (await phone.post("/api/pair", json=asked)).headers["set-cookie"]
        assert said.startswith(f"{SECURE_COOKIE}=")
        for word in ("Secure", "HttpOnly", "SameSite=strict", "Path=/", "Max-Age=34560000"):
            assert word in said
        assert "Domain" not in said
        assert (await phone.get("/api/phone")).status_code == 200
        token = phone.cookies[SECURE_COOKIE]
        phone.cookies.clear()
        phone.cookies.set(COOKIE, token, domain="127.0.0.1")
        assert error(await phone.get("/api/phone")) == (401, "unpaired", False)


def test_a_part_that_has_no_keys_yet_can_still_be_described() -> None:
    """The pages' client is generated from the routes alone."""
    paths = make_app(_nothing()).openapi()["paths"]
    assert "/api/pair" in paths


def _nothing() -> Parts:
    from types import SimpleNamespace
    from typing import cast

    return cast(Parts, SimpleNamespace(upload_bytes_max=1))


async def test_a_code_of_the_hub_is_typed_like_one_of_the_node(
    shop: Shop, now: StandingClock
) -> None:
    code = "7KM3-Q2ZD"
    opened = OpenCode(sha256=code_sha256(code), ends_at=now().at + timedelta(minutes=15))
    shop.phones.take_config(NodeConfig(revision=1, codes=(opened,)), now())
    asked = {"code": "7km3 q2zd", "uuid": f"{UUID}5", "name": "x"}
    assert (await shop.browser().post("/api/pair", json=asked)).status_code == 200
