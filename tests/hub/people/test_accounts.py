"""Sign-in by an account of elsewhere: who was linked comes in, by a verified subject alone."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hub.api.app import create_app
from hub.audit.store import lines
from hub.errors import BadProvider
from hub.people.provider import Client, Provider
from hub.people.roles import Person, Scope
from hub.people.store import end_person, invite, new_link
from hub.store.database import Database
from tests.hub.people.fake_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    FakeProvider,
    another_key,
    fake_provider,
    guessed_key,
)
from tests.hub.visitor import Visitor, visitor_of

SUBJECT = "24400320"


@pytest.fixture(scope="module")
def running() -> Iterator[FakeProvider]:
    with fake_provider() as running:
        yield running


@pytest.fixture(scope="module")
def provider(running: FakeProvider) -> Provider:
    return Provider(
        Client(
            issuer=running.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET,
            name="The chain's",
        )
    )  # fmt: skip


@pytest.fixture(scope="module")
def app(session_database: Database, provider: Provider) -> Any:
    return create_app(session_database, provider=provider)


@pytest.fixture
def fake(running: FakeProvider, provider: Provider) -> FakeProvider:
    """As new: nobody knows its keys yet, and it tells the truth."""
    provider._said = provider._keys = None
    provider._away_until_s = 0.0
    fresh = FakeProvider(issuer=running.issuer)
    for name in fresh.__dataclass_fields__:
        setattr(running, name, getattr(fresh, name))
    return running


@pytest.fixture
def browser(database: Database, app: Any) -> Visitor:
    return Visitor(database, app=app)


def invited(database: Database, name: str = "Bo") -> tuple[Person, str]:
    with database.connection() as connection:
        person = invite(connection, name, Scope(role="auditor"))
        return person, new_link(connection, person.id)


def came_back(
    visitor: Visitor, fake: FakeProvider, subject: str = SUBJECT, **said: Any
) -> httpx.Response:
    begun = visitor.post("/api/account", json=said)
    assert begun.status_code == 200, begun.text
    code, state = fake.sign_in(begun.json()["address"], subject)
    return visitor.get("/api/account/back", params={"code": code, "state": state})


def why(answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].removeprefix("/#/sign-in/")


def who(visitor: Visitor) -> str | None:
    answer = visitor.get("/api/session")
    return answer.json()["person"]["name"] if answer.status_code == 200 else None


def linked(database: Database, browser: Visitor, fake: FakeProvider) -> Person:
    person, link = invited(database)
    assert why(came_back(browser, fake, welcome=link)) == "/"
    return person


def test_a_welcome_link_links_the_account_which_signs_in_from_then_on(
    database: Database, browser: Visitor, fake: FakeProvider
) -> None:
    person = linked(database, browser, fake)
    assert who(browser) == "Bo"
    elsewhere = browser.other()
    assert why(came_back(elsewhere, fake)) == "/"
    assert who(elsewhere) == "Bo"
    with database.connection() as connection:
        told = lines(connection)[0]
    assert (told.what, told.person) == ("account_linked", person.id)
    assert SUBJECT not in str(told)


def test_an_account_that_nobody_linked_is_nobody_whatever_its_mail_address(
    database: Database, browser: Visitor, fake: FakeProvider
) -> None:
    invited(database, "ann@example.org")
    assert why(came_back(browser, fake)) == "not_linked"
    assert who(browser) is None


def test_a_welcome_link_is_good_for_one_account_and_gone_then(
    database: Database, browser: Visitor, fake: FakeProvider
) -> None:
    _, link = invited(database)
    assert why(came_back(browser, fake, welcome=link)) == "/"
    answer = browser.other().post("/api/account", json={"welcome": link})
    assert answer.json()["error"]["code"] == "link_used_or_ended"


def test_an_account_is_one_persons(
    database: Database, browser: Visitor, fake: FakeProvider
) -> None:
    linked(database, browser, fake)
    _, link = invited(database, "Cy")
    assert why(came_back(browser.other(), fake, welcome=link)) == "linked_to_another"
    # The link was not used up by it: the change was taken back as a whole.
    assert why(came_back(browser.other(), fake, "another", welcome=link)) == "/"


def test_whoever_has_signed_in_links_an_account(
    database: Database, app: Any, fake: FakeProvider
) -> None:
    mine = visitor_of(database, "head_office", name="Ann")
    mine.app = app
    assert why(came_back(mine, fake)) == "/"
    stranger = Visitor(database, app=app)
    assert why(came_back(stranger, fake)) == "/"
    assert who(stranger) == "Ann"


def test_a_person_who_ended_stays_out(
    database: Database, browser: Visitor, fake: FakeProvider
) -> None:
    person = linked(database, browser, fake)
    with database.connection() as connection:
        end_person(connection, person.id)
    assert who(browser) is None
    assert why(came_back(browser, fake)) == "not_linked"


LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"lies": {"iss": "https://elsewhere.example"}},
    "for another client": {"lies": {"aud": "somebody else"}},
    "for two, of which another asked": {"lies": {"aud": [CLIENT_ID, "b"], "azp": "b"}},
    "ended": {"lies": {"exp": 1_700_000_000}},
    "of another sign-in": {"lies": {"nonce": "another"}},
    "without a nonce": {"lies": {"nonce": None}},
    "for nobody": {"lies": {"sub": ""}},
    "for a number": {"lies": {"sub": 7}},
    "signed by another key": {"signed_by": another_key()},
    "signed by our own secret": {"signed_by": guessed_key(), "algorithm": "HS256"},
    "refused": {"token_status": 403},
    "failing": {"token_status": 503},
}


@pytest.mark.parametrize("how", LIES.values(), ids=LIES)
def test_what_cannot_be_believed_lets_nobody_in(
    database: Database, browser: Visitor, fake: FakeProvider, how: dict[str, Any]
) -> None:
    linked(database, browser, fake)
    for name, value in how.items():
        setattr(fake, name, value)
    stranger = browser.other()
    assert why(came_back(stranger, fake)) == "not_vouched_for"
    assert who(stranger) is None


def test_a_provider_that_calls_itself_otherwise_is_not_asked(
    browser: Visitor, fake: FakeProvider
) -> None:
    fake.issuer_said = "https://elsewhere.example"
    answer = browser.post("/api/account", json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_vouched_for")


def test_a_provider_that_failed_is_not_asked_by_every_stranger(
    browser: Visitor, fake: FakeProvider, provider: Provider
) -> None:
    fake.issuer_said = "https://elsewhere.example"
    answers = [browser.post("/api/account", json={}) for _ in range(3)]
    assert {one.json()["error"]["code"] for one in answers} == {"not_vouched_for"}
    assert len(fake.asked) == 1
    until_s = provider._away_until_s
    fake.issuer_said = ""
    assert browser.post("/api/account", json={}).status_code == 401
    # Who asks meanwhile does not put it off.
    assert provider._away_until_s == until_s
    provider._away_until_s = 0.0
    assert browser.post("/api/account", json={}).status_code == 200


def test_while_one_asks_for_the_description_others_are_sent_away(
    browser: Visitor, fake: FakeProvider, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.people.provider._TURN_S", 0.01)
    with provider._turn:
        answer = browser.post("/api/account", json={})
    assert answer.status_code == 401
    assert "try again" in answer.json()["error"]["message"]
    assert fake.asked == []
    assert browser.post("/api/account", json={}).status_code == 200


def test_keys_that_turn_are_looked_up_once(
    database: Database, browser: Visitor, fake: FakeProvider
) -> None:
    linked(database, browser, fake)
    fake.key = another_key()
    before = fake.asked.count("/keys")
    assert why(came_back(browser.other(), fake)) == "/"
    assert why(came_back(browser.other(), fake)) == "/"
    assert fake.asked.count("/keys") == before + 1


def test_what_was_begun_in_one_browser_ends_in_no_other(
    database: Database, browser: Visitor, fake: FakeProvider
) -> None:
    """Else a stranger could sign somebody in as himself, or link his account to somebody."""
    linked(database, browser, fake)
    begun = browser.other()
    code, state = fake.sign_in(begun.post("/api/account", json={}).json()["address"], SUBJECT)
    victim = browser.other()
    victim.post("/api/account", json={})
    back = {"code": code, "state": state}
    assert why(victim.get("/api/account/back", params=back)) == "try_gone"
    assert why(browser.other().get("/api/account/back", params=back)) == "try_gone"
    assert who(victim) is None
    assert why(begun.get("/api/account/back", params=back)) == "/"
    assert why(begun.get("/api/account/back", params=back)) == "try_gone", "once"


@pytest.mark.parametrize("asked", [{}, {"state": "x"}, {"code": "x"}, {"error": "access_denied"}])
def test_a_way_back_that_leads_from_nowhere_lets_nobody_in(
    browser: Visitor, fake: FakeProvider, asked: dict[str, str]
) -> None:
    browser.post("/api/account", json={})
    answer = browser.get("/api/account/back", params=asked)
    assert why(answer) in ("try_gone", "not_vouched_for")


def test_without_a_provider_there_is_nothing_to_go_to(database: Database) -> None:
    visitor = Visitor(database)
    assert visitor.get("/api/account").json() == {"name": None}
    assert visitor.post("/api/account", json={}).status_code == 404
    assert why(visitor.get("/api/account/back?state=x&code=y")) == "no_provider"


@pytest.mark.parametrize(
    "issuer", ["http://id.example.org", "https://id.example.org?x=1", "id.example.org", "ftp://x"]
)
def test_a_provider_is_reached_safely_or_not_at_all(issuer: str) -> None:
    with pytest.raises(BadProvider, match="https"):
        Client(issuer=issuer, client_id="a", client_secret="b")


@pytest.mark.parametrize(
    "issuer", ["http://localhost:1", "http://127.0.0.1:1", "https://x.example"]
)
def test_on_this_machine_it_may_be_plain(issuer: str) -> None:
    assert Client(issuer=issuer, client_id="a", client_secret="b").issuer == issuer
