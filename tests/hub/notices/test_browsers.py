"""Notices in a manager's browsers: subscribed by routes, sealed, quiet when asked, ended by 410."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from hub.api.app import create_app
from hub.care.keyring import Keyring, new_keyring, turned
from hub.care.persons import reseal
from hub.notices.push import BROWSERS_MAX, WebPush
from hub.notices.sending import Sent, send_due_notices
from hub.notices.store import channels_of, chosen, insert_notice
from hub.people.store import end_sessions
from hub.store.database import Database
from storepulse.errors import BadInput
from storepulse.web_push import keep_push_key
from tests.hub.staff import session_for
from tests.hub.visitor import Visitor
from tests.storepulse.push_service import Browser, PushService, push_service

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def service() -> Iterator[PushService]:
    with push_service() as running:
        yield running


class House:
    """A hub with a push service beside it, and a manager with a session."""

    def __init__(self, database: Database, service: PushService, folder: Path) -> None:
        service.status, service.got = 201, []
        self.database, self.service = database, service
        self.keyring: Keyring = new_keyring()
        self.push = WebPush(
            keep_push_key(folder / "push-key.pem"), "mailto:it@example.com", (service.host,)
        )
        self.app = create_app(database, keys=lambda: self.keyring, push=self.push)
        self.session, token = session_for(database, "region", regions=["east"], name="Li Wei")
        self.manager = Visitor(database, token=token, app=self.app)

    def subscribe(self, browser: Browser, **more: Any) -> Any:
        return self.manager.post("/api/notices/browsers", json=browser.said | more)

    def tell(self, key: str = "escalation a1", kind: str = "escalation") -> None:
        with self.database.connection() as connection:
            for to in chosen(connection, kind):  # type: ignore[arg-type]
                insert_notice(
                    connection, to, kind, key, title="East 1: photo round",  # type: ignore[arg-type]
                    body="Li Wei said why", made_at=NOON, not_before=NOON,
                )  # fmt: skip

    def send(self, minutes: float = 0) -> Sent:
        now = NOON + timedelta(minutes=minutes)
        return send_due_notices(self.database, self.keyring, mail="", now=now, push=self.push)

    def channels(self, person: UUID | None = None) -> tuple[str, ...]:
        with self.database.connection() as connection:
            return channels_of(connection, person or self.session.person.id, self.keyring)[0]


@pytest.fixture
def house(database: Database, service: PushService, tmp_path: Path) -> House:
    return House(database, service, tmp_path)


def test_a_notice_is_shown_in_each_browser_and_tells_no_name(house: House) -> None:
    assert house.manager.get("/api/notices/browsers").json() == {
        "key": house.push.key.public, "browsers": [],
    }  # fmt: skip
    one, two = Browser(house.service, "one"), Browser(house.service, "two")
    assert house.subscribe(one, language="zh").status_code == 201
    assert len(house.subscribe(two).json()["browsers"]) == 2
    mine = house.manager.get("/api/notices").json()
    assert (mine["choice"]["services"], mine["choice"]["kinds"]) == (["browsers"], ["escalation"])
    assert mine["choice"]["language"] == "zh"
    house.tell()
    assert house.send() == Sent(sent=1)
    (shown,) = one.opened()
    assert shown == two.opened()[0]
    assert shown["title"] == "East 1: photo round"
    assert shown["path"] == "/#/"
    assert "Li Wei" not in str(shown)
    _, headers, _ = house.service.got[0]
    assert headers["urgency"] == "high"
    assert headers["topic"] == shown["tag"]
    assert house.service.claims()["sub"] == "mailto:it@example.com"


def test_a_browser_that_has_gone_is_forgotten(house: House) -> None:
    house.subscribe(Browser(house.service))
    house.tell()
    house.service.status = 410
    assert house.send() == Sent(failed=1)
    assert house.manager.get("/api/notices/browsers").json()["browsers"] == []
    (told,) = house.manager.get("/api/notices").json()["notices"]
    assert told["last_error"] == "not taken by browsers"
    house.service.status = 201
    assert house.send(5) == Sent(failed=1)
    assert len(house.service.got) == 1


def test_a_service_that_is_down_is_tried_again_and_the_browser_stays(house: House) -> None:
    browser = Browser(house.service)
    house.subscribe(browser)
    house.tell()
    house.service.status = 503
    assert house.send() == Sent(failed=1)
    house.service.status = 201
    assert house.send(2) == Sent(sent=1)
    assert len(browser.opened()) == 2  # the same tag: a browser shows one


def test_quiet_hours_and_kinds_are_those_of_the_choice(house: House) -> None:
    browser = Browser(house.service)
    house.subscribe(browser)
    quiet = {"channels": ["browsers"], "kinds": ["escalation"], "quiet_from": "11:00:00",
             "quiet_until": "14:00:00"}  # fmt: skip
    assert house.manager.ask("PUT", "/api/notices", json=quiet).status_code == 200
    house.service.status = 503
    house.tell()
    assert house.send() == Sent(failed=1)
    house.service.status = 201
    assert house.send(60) == Sent(), "it is quiet until two"
    assert house.send(121) == Sent(sent=1)
    house.tell("digest 1", "digest")
    assert house.send(122) == Sent()
    assert time(14) < (NOON + timedelta(minutes=121)).time()


def test_the_last_browser_takes_the_channel_along_and_leaves_others(house: House) -> None:
    wecom = {"channels": ["wecombot://abc"], "kinds": ["escalation", "digest"],
             "digest_at": "08:00:00"}  # fmt: skip
    assert house.manager.ask("PUT", "/api/notices", json=wecom).status_code == 200
    one, two = Browser(house.service, "one"), Browser(house.service, "two")
    house.subscribe(one)
    house.subscribe(two)
    assert house.channels() == ("wecombot://abc", "browsers")
    for browser, left in ((one, 1), (two, 0), (two, 0)):
        answer = house.manager.ask(
            "DELETE", "/api/notices/browsers", json={"endpoint": browser.said["endpoint"]}
        )
        assert len(answer.json()["browsers"]) == left
    assert house.channels() == ("wecombot://abc",)
    assert house.manager.get("/api/notices").json()["choice"]["digest_at"] == "08:00:00"


def test_signed_out_a_browser_shows_nothing_and_is_of_whoever_signs_in_there(house: House) -> None:
    browser = Browser(house.service)
    house.subscribe(browser)
    other, token = session_for(house.database, "head_office", name="head office of browsers")
    visitor = Visitor(house.database, token=token, app=house.app)
    assert visitor.post("/api/notices/browsers", json=browser.said).status_code == 201
    assert house.manager.get("/api/notices/browsers").json()["browsers"] == []
    gone = visitor.ask("DELETE", "/api/notices/browsers", json={"endpoint": "https://else.where/"})
    assert len(gone.json()["browsers"]) == 1
    with house.database.connection() as connection:
        end_sessions(connection, other.person.id)
    house.tell()
    house.send()
    assert browser.opened() == []


def test_addresses_of_elsewhere_and_too_many_are_refused_and_keys_turn(house: House) -> None:
    elsewhere = Browser(house.service).said | {"endpoint": "https://10.0.0.1/push"}
    refused = house.manager.post("/api/notices/browsers", json=elsewhere)
    assert refused.status_code == 400
    assert "10.0.0.1" not in refused.text
    for number in range(BROWSERS_MAX):
        house.subscribe(Browser(house.service, f"b{number}"))
    assert house.subscribe(Browser(house.service, "one more")).status_code == 400
    with house.database.connection() as connection:
        rows = connection.execute("select sealed, service from push_subscriptions").fetchall()
        assert not any(b"push/" in bytes(row["sealed"]) for row in rows)
        old, new = house.keyring, turned(house.keyring)
        reseal(connection, new, at=NOON)
    house.keyring = Keyring(new.keys[:1])  # the key of before is not needed any more
    assert old.keys[0] not in house.keyring.keys
    house.tell()
    assert house.send() == Sent(sent=1)
    without = Visitor(house.database, app=create_app(house.database))
    assert without.get("/api/notices/browsers").status_code == 401


def test_a_contact_that_no_service_would_take_is_refused_at_the_start(tmp_path: Path) -> None:
    key = keep_push_key(tmp_path / "push-key.pem")
    WebPush(key, "https://hub.example.com")
    with pytest.raises(BadInput, match="push services ask for one"):
        WebPush(key, "https://hub.example.com/page")
