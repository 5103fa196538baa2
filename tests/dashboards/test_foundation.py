"""What every page stands on: its size, how it is kept and renewed, what a broken view leaves."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from storepulse.pages import ENVIRONMENT_NAME, pages_folder
from tests.dashboards.fake_node import CODE, FakeNode
from tests.dashboards.looking import PSEUDO, PYTESTMARK, forgotten, open_view
from tests.dashboards.served import served
from tests.dashboards.test_behaviour import PHONE, said, wait_until_heard
from tests.patience import expect, until

pytestmark = PYTESTMARK

FIRST_LOAD_BYTES_MAX: Final = {"clerk": 75_000, "board": 100_000, "installer": 75_000}
"""Packed, with all that a page loads before it can be used. 100 KB is the design's word; a page
that needs less keeps to less, so that growth is seen when it comes."""


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the built pages that a test may change."""
    copy = tmp_path / "dist"
    shutil.copytree(pages_folder(), copy)
    monkeypatch.setenv(ENVIRONMENT_NAME, str(copy))
    return copy


@pytest.fixture
def node(pages: Path) -> Iterator[tuple[FakeNode, str]]:
    fake = FakeNode()
    with served(fake.app()) as url:
        yield fake, url


def first_load(page: str) -> dict[str, int]:
    """Packed bytes of each file that a page loads at once, by name."""
    folder = pages_folder()
    html = folder / f"{page}.html"
    wanted = set(re.findall(r"/(assets/[^\"]+\.(?:js|css))\"", html.read_text(encoding="utf-8")))
    todo = list(wanted)
    while todo:
        # What a script imports at once is not always named in the page.
        script = (folder / todo.pop()).read_text(encoding="utf-8")
        for name in re.findall(r"(?:from|import)\s*[\"']\./([^\"']+\.js)[\"']", script):
            if f"assets/{name}" not in wanted:
                wanted.add(f"assets/{name}")
                todo.append(f"assets/{name}")
    sizes = {name: (folder / f"{name}.gz").stat().st_size for name in sorted(wanted)}
    return {html.name: html.stat().st_size, **sizes}


@pytest.mark.parametrize("page", FIRST_LOAD_BYTES_MAX)
def test_the_first_load_of_a_page_keeps_to_its_budget(
    page: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = first_load(page)
    assert len(sizes) >= 3
    with capsys.disabled():
        print(f"\n{page}: {sum(sizes.values())} bytes packed in {len(sizes)} files")  # noqa: T201
    assert sum(sizes.values()) <= FIRST_LOAD_BYTES_MAX[page], sizes


def kept(page: Any) -> None:
    """Until the worker that keeps the page has all of it, and answers for it."""
    page.wait_for_function(
        "async () => (await navigator.serviceWorker.ready).active?.state === 'activated'"
        " && !!navigator.serviceWorker.controller"
    )


def test_the_page_opens_without_the_node_and_what_waits_is_there(
    node: tuple[FakeNode, str],
    browser: Any,
) -> None:
    fake, url = node
    fake.pair()
    page = open_view(browser, url, PHONE)
    page.locator("label.big").wait_for()
    kept(page)
    page.context.set_offline(True)
    page.locator("button[data-tap=reception]").click()
    page.get_by_text("Waiting to be sent: 1.").wait_for()
    page.reload()
    page.get_by_text("Waiting to be sent: 1.").wait_for()
    # With another language in the address, too.
    page.goto(f"{url}/?lang=zh")
    page.get_by_text("待发送 1 条").wait_for()
    page.context.set_offline(False)
    wait_until_heard(page, fake, "/api/taps", 1)
    page.context.close()


def test_a_newer_page_waits_for_a_word_and_takes_nothing_of_what_waits(
    node: tuple[FakeNode, str],
    pages: Path,
    browser: Any,
) -> None:
    fake, url = node
    fake.pair()
    page = open_view(browser, url, PHONE)
    page.locator("label.big").wait_for()
    kept(page)
    # The phone's pairing ends while it is away: its tap waits. The node gets a newer page then.
    page.context.set_offline(True)
    page.locator("button[data-tap=reception]").click()
    page.get_by_text("Waiting to be sent: 1.").wait_for()
    fake.phone = None
    page.context.set_offline(False)
    page.locator("input.code").wait_for()
    waiting = page.evaluate(_WAITING)
    assert len(waiting) == 1
    worker = pages / "sw.js"
    worker.write_text(worker.read_text(encoding="utf-8") + "\n// newer\n", encoding="utf-8")
    page.evaluate("async () => { await (await navigator.serviceWorker.ready).update() }")
    page.locator(".newer button").wait_for()
    with page.expect_navigation():
        page.locator(".newer button").click()
    page.locator("input.code").wait_for()
    expect(page.locator(".newer")).to_have_count(0)
    assert page.evaluate(_WAITING) == waiting
    page.locator("input.code").fill(CODE)
    page.locator("button.first").click()
    wait_until_heard(page, fake, "/api/taps", 1)
    page.get_by_text("Everything is sent.").wait_for()
    heard = [one["uuid"] for one in said(fake, "/api/taps")]
    assert heard == waiting
    page.context.close()


_WAITING: Final = """() => new Promise((resolve) => {
  const asked = indexedDB.open('storepulse')
  asked.onsuccess = () => {
    const all = asked.result.transaction('waiting').objectStore('waiting').getAll()
    all.onsuccess = () => { asked.result.close(); resolve(all.result.map((one) => one.uuid)) }
  }
})"""


def test_a_view_that_breaks_says_so_and_what_waits_is_sent_all_the_same(
    node: tuple[FakeNode, str],
    browser: Any,
) -> None:
    fake, url = node
    fake.pair()
    page = open_view(browser, url, PHONE)
    page.locator("label.big").wait_for()
    # An answer that no page of ours can show: a list whose items are none.
    bad = [{"id": "l", "bay": "bay-1", "items": None, "made_at": "2026-11-20T10:00:00Z"}]
    page.route(
        "**/api/checklists",
        lambda route: route.fulfill(body=json.dumps(bad), content_type="application/json"),
    )
    page.context.set_offline(True)
    page.locator("button[data-tap=reception]").click()
    page.get_by_text("Waiting to be sent: 1.").wait_for()
    page.context.set_offline(False)
    page.reload()
    page.locator(".broken").wait_for()
    expect(page.locator(".broken pre")).to_have_text(re.compile(r"\S"))
    # It may have gone just before the page was loaded again, and then goes twice, by one UUID.
    until(lambda: said(fake, "/api/taps"), what="the tap at the node", page=page)
    page.wait_for_function("() => document.body.textContent.includes('Everything is sent.')")
    assert len({one["uuid"] for one in said(fake, "/api/taps")}) == 1
    page.unroute("**/api/checklists")
    page.locator(".broken button.first").click()
    page.locator("label.big").wait_for()
    page.context.close()


def test_a_text_that_was_forgotten_is_found(
    node: tuple[FakeNode, str],
    browser: Any,
) -> None:
    fake, url = node
    fake.pair()
    page = open_view(browser, url, ("phone", PSEUDO, "light"))
    page.locator("label.big").wait_for()
    assert forgotten(page) == []
    page.evaluate("document.querySelector('main').append('Hard-coded')")
    page.evaluate("document.querySelector('main').title = 'Labelled'")
    assert sorted(forgotten(page)) == ["Hard-coded", "Labelled"]
    page.context.close()
