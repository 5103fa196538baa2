"""The customer's page in a browser: both languages, a phone's width, nothing serious for axe."""

import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib.resources import files
from typing import Any

import pytest

from hub.api.app import create_app
from hub.care.sending import care_round
from hub.store.database import Database
from tests.dashboards.looking import CHROMIUM, LIMIT_MS, SHOTS, serious_faults
from tests.dashboards.served import served
from tests.hub.care.test_care import BEGUN, CARE, KEYS, RIPE, Post, Town
from tests.patience import expect


def test_the_page_is_small_and_asks_for_nothing_from_elsewhere() -> None:
    texts = [
        (files("hub.care") / "page" / name).read_bytes()
        for name in ("ticket.html", "ticket.js", "ticket.css")
    ]
    assert sum(len(gzip.compress(text)) for text in texts) < 30 * 1024
    assert not any(b"http://" in text or b"https://" in text for text in texts)


@pytest.fixture(scope="module")
def browser(playwright: Any) -> Iterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip(f"not run: {CHROMIUM} is not there")
    opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
    yield opened
    opened.close()


WORDS = {
    "zh-CN": ("同意", "撤回同意", "已撤回", "确认退订", "仅含数字"),
    "en": ("Agree", "Withdraw", "Done", "No more messages", "digits only"),
}


def keep(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/ticket-{name}.png", full_page=True)


def look(page: Any, name: str) -> None:
    keep(page, name)
    assert serious_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.journey
@pytest.mark.parametrize(("tag", "theme"), [("zh-CN", "dark"), ("en", "light")])
def test_a_customer_agrees_and_goes_again(
    database: Database, browser: Any, tag: str, theme: str
) -> None:
    # Playwright's loop has this thread; what makes one of its own goes into another.
    with ThreadPoolExecutor(1) as other:
        town = other.submit(Town, database).result()
    app = create_app(database, now=lambda: town.now, keys=lambda: KEYS, care=CARE)
    agree, withdraw, gone, out, wrong = WORDS[tag]
    with served(app) as address:
        shape = {"viewport": {"width": 360, "height": 640}, "locale": tag, "color_scheme": theme}
        page = browser.new_context(**shape).new_page()
        page.set_default_timeout(LIMIT_MS)
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{address}/ticket#{town.token}")
        page.locator("form").wait_for()
        expect(page.locator("html")).to_have_attribute("lang", tag)
        look(page, f"ask-{tag}")
        page.locator("input[name=contact]").fill("nobody")
        page.locator("input[name=agreed]").check()
        page.locator("form button").click()
        page.get_by_role("alert").filter(has_text=wrong).wait_for()
        look(page, f"wrong-{tag}")
        expect(page.locator("input[name=contact]")).to_have_value("nobody")
        page.locator("input[name=contact]").fill("li@example.com")
        page.locator("input[name=agreed]").check()
        page.locator("form button", has_text=agree).click()
        page.locator("main button", has_text=withdraw).wait_for()
        look(page, f"agreed-{tag}")
        page.locator("#language").click()
        page.locator("#language").click()
        page.locator("main button", has_text=withdraw).click()
        page.get_by_text(gone).wait_for()
        look(page, f"withdrawn-{tag}")
        # And by the link of the message.
        town.now = BEGUN
        with ThreadPoolExecutor(1) as other:
            other.submit(town.agree, language="zh" if tag == "zh-CN" else "en").result()
        post = Post()
        care_round(database, KEYS, CARE, now=RIPE + timedelta(minutes=1), send=post)
        ((_, _, body),) = post.sent
        page.goto(f"{address}/ticket#out/" + body.split("#out/")[1].strip())
        page.locator("main button", has_text=out).wait_for()
        look(page, f"out-{tag}")
        with database.connection() as connection:
            row = connection.execute(
                "select count(*) as n from storepulse_care.consents where withdrawn_at is null"
            ).fetchone()
        assert row == {"n": 1}, "looking at the link changes nothing"
        page.locator("main button", has_text=out).click()
        page.get_by_text(gone).wait_for()
        page.goto(f"{address}/ticket#{'y' * 43}")
        page.get_by_role("alert").wait_for()
        look(page, f"nowhere-{tag}")
        assert faults == []
        assert page.context.cookies() == []
