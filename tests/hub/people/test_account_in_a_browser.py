"""The whole way to the provider and back, by a real browser, whose cookies have their rules."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.api.app import create_app
from hub.people.provider import Client, Provider
from hub.people.roles import Scope
from hub.people.store import invite, new_link
from hub.people.tokens import link_path
from hub.store.database import Database
from storepulse.pages import pages_folder
from tests.dashboards.served import served
from tests.hub.people.fake_provider import CLIENT_ID, CLIENT_SECRET, FakeProvider, fake_provider
from tests.patience import expect

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with fake_provider() as running:
        # Another site than the hub's 127.0.0.1, as it will be.
        elsewhere = running.issuer.replace("127.0.0.1", "localhost")
        running.issuer = elsewhere
        yield running


@pytest.fixture
def browser(playwright: Any) -> Iterator[Any]:
    if not CHROMIUM.exists() or not (pages_folder() / "board.html").exists():
        pytest.skip("not run: no chromium, or the pages are not built (make pages)")
    opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
    yield opened
    opened.close()


def test_a_welcome_link_then_the_account_alone(
    database: Database, fake: FakeProvider, browser: Any
) -> None:
    client = Client(
        issuer=fake.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, name="Chain ID"
    )
    with database.connection() as connection:
        person = invite(connection, "Bo", Scope(role="auditor"))
        link = link_path(new_link(connection, person.id))
    with served(create_app(database, provider=Provider(client))) as hub:
        first = browser.new_context(locale="en-GB").new_page()
        first.goto(hub + link)
        first.get_by_role("button", name="Sign in with Chain ID").click()
        first.locator("a.me", has_text="Bo").wait_for()
        expect(first).to_have_url(re.compile(f"^{re.escape(hub)}/(#.*)?$"))

        # Another device: no link any more, only the account.
        other = browser.new_context(locale="zh-CN").new_page()
        other.goto(hub)
        other.get_by_role("button", name="使用 Chain ID 登录").click()
        other.locator("a.me", has_text="Bo").wait_for()
        cookies = {one["name"]: one for one in other.context.cookies()}
        assert set(cookies) == {"storepulse"}
        assert (cookies["storepulse"]["sameSite"], cookies["storepulse"]["httpOnly"]) == (
            "Strict", True,
        )  # fmt: skip

        # And a stranger is told why not, in words.
        fake.subject = "a stranger"
        stranger = browser.new_context(locale="en-GB").new_page()
        stranger.goto(hub)
        stranger.get_by_role("button", name="Sign in with Chain ID").click()
        stranger.get_by_role("alert").get_by_text("Nobody here has been linked").wait_for()
