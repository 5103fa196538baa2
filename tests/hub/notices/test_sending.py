"""Notices go out over HTTP by apprise, again when a service is down, and people see what failed."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.care.keyring import new_keyring
from hub.notices.choice import (
    RETRY_AFTER,
    SERVICES,
    BadChoice,
    NoticeChoice,
    check_channels,
    contact_address,
    next_try,
    not_quiet,
)
from hub.notices.sending import Sent, send_by_apprise, send_due_notices
from hub.notices.store import channels_of, chosen, insert_notice, save_choice
from hub.people.roles import Session
from hub.store.database import Database
from tests.hub.staff import session_for
from tests.hub.visitor import Visitor

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEYS = new_keyring()


class Service:
    """A messenger on this machine."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.status = 200
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if service.status == 200:
                    service.taken.append(json.loads(body) | {"path": self.path})
                self.send_response(service.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        self.address = f"json://127.0.0.1:{self.server.server_port}/hook"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    running = Service()
    yield running
    running.close()


@pytest.fixture
def manager(database: Database) -> tuple[Session, Visitor]:
    session, token = session_for(database, "region", regions=["east"])
    return session, Visitor(database, token=token)


def put(database: Database, session: Session, *channels: str, **changes: Any) -> None:
    choice = NoticeChoice(channels=channels, kinds=("escalation",), **changes)
    with database.of_session(session) as connection:
        assert save_choice(connection, choice, KEYS)
    with database.connection() as connection:
        for to in chosen(connection, "escalation"):
            insert_notice(
                connection, to, "escalation", "k", title="标题 & title", body="first\nsecond",
                made_at=NOON, not_before=NOON,
            )  # fmt: skip


def send(database: Database, minutes: float = 0, mail: str = "") -> Sent:
    now = NOON + timedelta(minutes=minutes)
    return send_due_notices(database, KEYS, mail=mail, now=now)


def test_a_notice_arrives_once(
    database: Database, manager: tuple[Session, Visitor], service: Service
) -> None:
    session, visitor = manager
    put(database, session, service.address)
    assert send(database) == Sent(sent=1)
    assert send(database, 60) == Sent()
    (one,) = service.taken
    assert (one["title"], one["message"], one["path"]) == ("标题 & title", "first\nsecond", "/hook")
    (told,) = visitor.get("/api/notices").json()["notices"]
    assert (told["tries"], told["gave_up_at"]) == (1, None)
    assert told["sent_at"] is not None


def test_a_service_that_is_down_is_tried_again_and_the_person_sees_it(
    database: Database, manager: tuple[Session, Visitor], service: Service
) -> None:
    session, visitor = manager
    service.status = 503
    put(database, session, service.address)
    assert send(database) == Sent(failed=1)
    assert send(database, 0.9) == Sent(), "not at once"
    assert send(database, 1) == Sent(failed=1)
    assert send(database, 5.9) == Sent(), "and ever later"
    (told,) = visitor.get("/api/notices").json()["notices"]
    assert (told["tries"], told["last_error"]) == (2, "not taken by json")
    service.status = 200
    assert send(database, 6) == Sent(sent=1)
    assert len(service.taken) == 1


def test_in_the_end_it_is_given_up_and_said(
    database: Database, manager: tuple[Session, Visitor]
) -> None:
    session, visitor = manager
    put(database, session, "json://127.0.0.1:1/nobody")
    done = [send(database, 60 * hours) for hours in range(0, 40)]
    assert sum(one.failed for one in done) == len(RETRY_AFTER) + 1
    (told,) = visitor.get("/api/notices").json()["notices"]
    assert told["gave_up_at"] is not None
    assert "127.0.0.1" not in told["last_error"]


def test_a_channel_that_is_down_does_not_hold_up_another(
    database: Database, manager: tuple[Session, Visitor], service: Service
) -> None:
    session, _ = manager
    put(database, session, "json://127.0.0.1:1/nobody", service.address)
    assert send(database) == Sent(sent=1)
    assert len(service.taken) == 1


def test_a_library_that_throws_keeps_no_other_notice_back(
    database: Database, manager: tuple[Session, Visitor], service: Service,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    session, _ = manager
    put(database, session, "json://broken:secret@nowhere")
    other, _ = session_for(database, "region", regions=["east"], name="second")
    put(database, other, service.address)

    def throws(address: str, title: str, body: str) -> bool:
        if "broken" in address:
            raise ZeroDivisionError(address)
        return send_by_apprise(address, title, body)

    done = send_due_notices(database, KEYS, mail="", now=NOON, send=throws)
    assert done == Sent(sent=1, failed=1)
    assert len(service.taken) == 1
    assert "secret" not in caplog.text


def test_mail_goes_by_the_hubs_own_server(
    database: Database, manager: tuple[Session, Visitor], service: Service
) -> None:
    session, _ = manager
    put(database, session, "li@example.com")
    assert send(database, mail=f"{service.address}/to/{{contact}}") == Sent(sent=1)
    assert service.taken[0]["path"] == "/hook/to/li@example.com"


def test_a_choice_taken_back_sends_nothing(
    database: Database, manager: tuple[Session, Visitor], service: Service
) -> None:
    session, visitor = manager
    put(database, session, service.address)
    with database.of_session(session) as connection:
        save_choice(connection, NoticeChoice(channels=(), kinds=()), KEYS)
    assert send(database) == Sent()
    assert visitor.get("/api/notices").json()["choice"] is None


def test_channels_are_kept_sealed_and_never_shown(database: Database) -> None:
    from hub.api.app import create_app

    app = create_app(database, keys=lambda: KEYS, notice_mail=True)
    _, token = session_for(database, "region", regions=["east"])
    visitor = Visitor(database, token=token, app=app)
    said = {
        "channels": ["li@example.com", "wecombot://secret-key"], "kinds": ["escalation", "digest"],
        "digest_at": "18:00", "quiet_from": "22:00", "quiet_until": "08:00",
        "timezone": "Asia/Shanghai", "language": "zh",
    }  # fmt: skip
    told = visitor.ask("PUT", "/api/notices", json=said)
    assert told.json()["choice"]["services"] == ["mail", "wecombot"]
    assert "secret-key" not in told.text + visitor.get("/api/notices").text
    with database.connection() as connection:
        assert "secret-key" not in str(
            connection.execute("select * from notice_choices").fetchall()
        )
    for wrong in ("json://10.0.0.1/x", "exec://rm", "nobody", "a b@c.de", "file:///etc/passwd"):
        answer = visitor.ask("PUT", "/api/notices", json=said | {"channels": [wrong]})
        assert answer.status_code == 400, wrong
    assert visitor.ask("PUT", "/api/notices", json=said | {"timezone": "Moon"}).status_code == 400
    other = Visitor(database, token=session_for(database, "clerk", shops=[], name="x")[1], app=app)
    assert other.get("/api/notices").json()["choice"] is None


def test_only_services_with_a_host_of_their_own_are_possible() -> None:
    assert not SERVICES & {"json", "jsons", "xml", "form", "mailto", "mailtos", "syslog", "dbus"}
    with pytest.raises(BadChoice, match="mail is not set up"):
        check_channels(["li@example.com"], SERVICES, mail=False)


def test_an_address_that_is_none_is_not_taken() -> None:
    assert not send_by_apprise("no address", "t", "b")


@settings(max_examples=100)
@given(
    st.integers(0, 24 * 60 * 3), st.integers(0, 1439), st.integers(0, 1439),
    st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York"]),
)  # fmt: skip
def test_quiet_hours_hold_back_and_end(minute: int, begins: int, ends: int, zone: str) -> None:
    if begins == ends:
        return
    choice = NoticeChoice(
        channels=(), kinds=(), timezone=zone, quiet_from=time(begins // 60, begins % 60),
        quiet_until=time(ends // 60, ends % 60),
    )  # fmt: skip
    moment = NOON + timedelta(minutes=minute)
    then = not_quiet(moment, choice)
    assert moment <= then < moment + timedelta(days=1)
    assert not_quiet(then, choice) == then
    assert not_quiet(then + timedelta(days=1), choice) == then + timedelta(days=1) or then == moment


def test_tries_end() -> None:
    pauses = [next_try(tries, NOON) for tries in range(1, len(RETRY_AFTER) + 2)]
    assert pauses[-1] is None
    known = [one for one in pauses if one is not None]
    assert known == sorted(set(known))


@settings(max_examples=50)
@given(st.text(max_size=30))
def test_a_contact_adds_nothing_to_its_address(contact: str) -> None:
    found = contact_address("mailtos://u:p@host?to={contact}&x=1", contact)
    rest = found.removeprefix("mailtos://u:p@host?to=").removesuffix("&x=1")
    assert not set(rest) & set("&?/#@: {}")


def test_a_test_message_goes_out_at_once_and_once_a_minute(database: Database) -> None:
    from hub.api.app import create_app

    app = create_app(database, keys=lambda: KEYS, notice_mail=True)
    visitor = Visitor(database, token=session_for(database, "region", regions=["e"])[1], app=app)
    refused = visitor.post("/api/notices/test", json={})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "nothing_chosen")
    said = {"channels": ["li@example.com"], "kinds": ["escalation"], "language": "zh",
            "quiet_from": "00:00", "quiet_until": "23:59"}  # fmt: skip
    assert visitor.ask("PUT", "/api/notices", json=said).status_code == 200
    told = [visitor.post("/api/notices/test", json={}).json()["notices"] for _ in range(2)]
    # Two within a minute are one; at a minute's turn there may be two.
    assert {one["kind"] for one in told[1]} == {"test"}
    assert len(told[1]) <= 2
    first = told[0][0]
    assert (first["title"], first["sent_at"]) == ("storepulse 测试消息", None)
    taken: list[str] = []

    def take(address: str, title: str, body: str) -> bool:
        taken.append(title)
        return True

    send_due_notices(database, KEYS, mail="", now=datetime.now(UTC), send=take)
    assert taken[0] == first["title"]
    assert visitor.get("/api/notices").json()["notices"][-1]["sent_at"] is not None


def test_channels_stay_without_being_typed_again(database: Database) -> None:
    from hub.api.app import create_app

    app = create_app(database, keys=lambda: KEYS, notice_mail=True)
    session, token = session_for(database, "region", regions=["east"])
    visitor = Visitor(database, token=token, app=app)
    said = {"channels": ["li@example.com", "wecombot://secret-key"], "kinds": ["escalation"]}
    visitor.ask("PUT", "/api/notices", json=said)
    more = {"channels": ["lee@example.com"], "keep": [1], "kinds": ["pushed"]}
    told = visitor.ask("PUT", "/api/notices", json=more).json()["choice"]
    assert (told["services"], told["kinds"]) == (["wecombot", "mail"], ["pushed"])
    with database.connection() as connection:
        kept, _ = channels_of(connection, session.person.id, KEYS)
    assert kept == ("wecombot://secret-key", "lee@example.com")
    for places in ([2], [-1]):
        wrong = visitor.ask("PUT", "/api/notices", json=more | {"keep": places})
        assert wrong.status_code == 400
