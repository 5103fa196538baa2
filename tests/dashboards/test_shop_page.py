"""From red to why: three clicks, the keyboard alone, causes that take their time, news in place."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.dashboards.fake_hub import PASSWORD, FakeHub
from tests.dashboards.looking import PYTESTMARK, open_view
from tests.dashboards.served import served
from tests.dashboards.test_behaviour import DESK, tab_to
from tests.hub.shop_facts import SHOP
from tests.late import LATE_S_MAX
from tests.patience import expect, until

pytestmark = PYTESTMARK
EVIDENCE = ".evidence a[href*='/photo/']"
PHOTO_SEEN = "() => [...document.images].some((one) => one.naturalWidth > 500)"


@pytest.fixture
def hub() -> Iterator[tuple[FakeHub, str]]:
    fake = FakeHub()
    # The one shop of the fake that has a page is its worst: the only one.
    fake.shops = 1
    with served(fake.app()) as url:
        yield fake, url


def test_a_new_manager_is_at_the_evidence_photo_of_the_worst_shop_in_three_clicks(
    hub: tuple[FakeHub, str],
    browser: Any,
) -> None:
    fake, url = hub
    fake.signed_in = False
    page = open_view(browser, url, DESK)
    page.evaluate("() => { window.clicks = 0; addEventListener('click', () => clicks++, true) }")
    page.locator("input[name=username]").fill("Lin")
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("button.first").click()
    # The worst stands first; its worst dimension has the photo.
    page.locator("tr[data-shop] th a").first.click()
    page.locator(f"article[data-colour=red] {EVIDENCE}").first.click()
    page.wait_for_function(PHOTO_SEEN)
    assert page.evaluate("clicks") == 3
    assert page.faults == []
    page.context.close()


def test_the_same_way_goes_by_the_keyboard_alone(
    hub: tuple[FakeHub, str],
    browser: Any,
) -> None:
    fake, url = hub
    fake.signed_in = False
    page = open_view(browser, url, DESK)
    page.evaluate("() => { window.clicks = 0; addEventListener('pointerdown', () => clicks++) }")
    page.locator("input[name=username]").wait_for()
    tab_to(page, "input[name=username]")
    page.keyboard.type("Lin")
    tab_to(page, "input[type=password]")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.locator("tr[data-shop]").first.wait_for()
    tab_to(page, "tr[data-shop] th a")
    page.keyboard.press("Enter")
    page.locator(f"article[data-colour=red] {EVIDENCE}").first.wait_for()
    tab_to(page, f"article[data-colour=red] {EVIDENCE}")
    page.keyboard.press("Enter")
    page.wait_for_function(PHOTO_SEEN)
    # And back again, to the shop, without a mouse.
    tab_to(page, f"nav a[href='#/shop/{SHOP}']")
    page.keyboard.press("Enter")
    page.locator("article").first.wait_for()
    assert page.evaluate("clicks") == 0
    assert page.faults == []
    page.context.close()


def test_a_search_for_causes_says_that_it_goes_on_and_holds_up_nothing(
    hub: tuple[FakeHub, str],
    browser: Any,
) -> None:
    fake, url = hub
    fake.why_held = True
    page = open_view(browser, f"{url}/#/shop/{SHOP}", DESK)
    # One after the other: the hub is asked of one dimension at a time.
    page.locator("article[data-dimension=people] [data-why=asked] [role=status]").wait_for()
    page.locator("article[data-dimension=goods] [data-why=waits]").wait_for()
    # Meanwhile all else is there and can be used.
    page.locator("article[data-dimension=goods] button[aria-expanded=false]").click()
    page.locator(".curve canvas").wait_for()
    page.locator("article[data-dimension=people] [data-why=asked] [role=status]").wait_for()
    fake.why_held = False
    goods = page.locator("article[data-dimension=goods] .causes")
    # Cause and association, in words; what is open claims nothing; what was not looked at is named.
    says(goods.locator("[data-claim=cause]"), "Likely cause")
    says(goods.locator("[data-claim=association]"), "Goes together")
    says(goods.locator("[data-claim=open]"), "Not excluded")
    says(goods.locator("[data-claim=association]"), "−6.2 points (−9 to −3.1)")
    goods.locator("summary").click()
    says(goods, "competitor event: ")
    people = page.locator("article[data-dimension=people] .causes")
    expect(people.locator("[data-verdict='not enough evidence']")).to_have_count(1)
    # What was pushed says where it stands, and how it came there.
    pushed = page.locator("article[data-dimension=goods] .pushed")
    expect(pushed.locator("li[data-state=seen]")).to_have_count(1)
    pushed.locator("summary").click()
    says(pushed, "told Region: nobody opened it in time")
    assert page.faults == []
    page.context.close()


def says(place: Any, words: str) -> None:
    """Where a person can read it."""
    expect(place).to_contain_text(words, use_inner_text=True)


class Asked:
    """What a page asks of a hub, other than its news: all of it, and what has no answer yet."""

    def __init__(self, page: Any, url: str) -> None:
        self.paths: list[str] = []
        self._open: dict[Any, float] = {}
        self._slowest_s = 0.0
        self._page, self._url = page, url
        page.on("request", self._begun)
        page.on("requestfinished", self._over)
        page.on("requestfailed", self._over)

    def _begun(self, request: Any) -> None:
        path = request.url.removeprefix(self._url)
        if path != "/api/events":
            self.paths.append(path)
            self._open[request] = time.monotonic()

    def _over(self, request: Any) -> None:
        if (began := self._open.pop(request, None)) is not None:
            self._slowest_s = max(self._slowest_s, time.monotonic() - began)

    def wait_until_quiet(self) -> None:
        """Until all is answered and nothing more asked for a second and a rest.

        Days near the screen come one after the other; between two questions for all shops a page
        rests four times as long as the first one took (`REST_TIMES`).
        """
        since = time.monotonic()

        def quiet() -> bool:
            nonlocal since
            if self.paths or self._open:
                since = time.monotonic()
            self.paths.clear()
            # What the page has noted and not yet said may be late, too.
            rest_s = 1 + 5 * (self._slowest_s + 3 * LATE_S_MAX)
            return time.monotonic() - since > rest_s

        until(quiet, what="a page that asks for nothing more", page=self._page, limit_s=120)


def test_a_change_is_put_in_place_and_nothing_else_is_asked_for(
    browser: Any,
) -> None:
    fake = FakeHub()
    fake.shops = 300
    with served(fake.app()) as url:
        page = open_view(browser, url, DESK)
        asked = Asked(page, url)
        page.locator("table[aria-rowcount='301']").wait_for()
        page.locator("tr[data-shop] svg[width='70'] path:not([d=''])").first.wait_for()
        asked.wait_until_quiet()
        shop = page.locator("tr[data-shop]").nth(3).get_attribute("data-shop") or ""
        before = page.locator(f"tr[data-shop='{shop}'] td[data-dimension=goods]")
        assert before.get_attribute("data-colour") != "yellow"
        fake.turned[shop] = "yellow"
        page.locator(
            f"tr[data-shop='{shop}'] td[data-dimension=goods][data-colour=yellow]"
        ).wait_for()
        page.wait_for_function("() => document.querySelectorAll('.table').length === 1")
        kinds = {one.split("?")[0] for one in asked.paths}
        assert kinds <= {"/api/board/columns", "/api/history"}
        assert all(f"shop={shop}" in one for one in asked.paths)
        page.context.close()


def test_a_curve_is_there_by_week_hour_and_quarter_too_and_its_grain_is_in_the_address(
    hub: tuple[FakeHub, str],
    browser: Any,
) -> None:
    _, url = hub
    page = open_view(browser, f"{url}/#/shop/{SHOP}?curve=place", DESK)
    curve = page.locator(".curve")
    curve.locator("canvas").wait_for()
    for grain, said in (
        ("hour", "12:00: 8 min"),
        ("quarter", "09:00: 8 min"),
        ("week", "week of "),
    ):
        curve.locator("select").first.select_option(grain)
        curve.get_by_text(said).wait_for()
        expect(page).to_have_url(re.compile(rf"\?curve=place&by={grain}$"))
        # The hole is no figure: four windows are said, of five that are drawn.
        curve.locator("[role=img][aria-label*='4 windows'] canvas").wait_for()
    expect(curve.locator("select")).to_have_count(1)
    page.reload()
    curve.get_by_text("week of ").wait_for()
    curve.locator("select").first.select_option("day")
    curve.locator("[aria-label*='last 14 days'] canvas").wait_for()
    expect(page).to_have_url(re.compile(r"\?curve=place$"))
    assert page.faults == []
    page.context.close()
