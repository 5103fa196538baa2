"""From red to why: three clicks, the keyboard alone, causes that take their time, news in place."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.dashboards.fake_hub import PASSWORD, FakeHub
from tests.dashboards.looking import PYTESTMARK, open_view
from tests.dashboards.served import served
from tests.dashboards.test_behaviour import DESK, tab_to
from tests.hub.shop_facts import SHOP

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
    fake.why_s = 1.2
    page = open_view(browser, f"{url}/#/shop/{SHOP}", DESK)
    # One after the other: the hub is asked of one dimension at a time.
    page.locator("article[data-dimension=people] [data-why=asked] [role=status]").wait_for()
    page.locator("article[data-dimension=goods] [data-why=waits]").wait_for()
    # Meanwhile all else is there and can be used.
    page.locator("article[data-dimension=goods] button[aria-expanded=false]").click()
    page.locator(".curve canvas").wait_for()
    goods = page.locator("article[data-dimension=goods] .causes")
    goods.locator("[data-claim=association]").wait_for()
    # Cause and association, in words; what is open claims nothing; what was not looked at is named.
    assert "Likely cause" in goods.locator("[data-claim=cause]").inner_text()
    assert "Goes together" in goods.locator("[data-claim=association]").inner_text()
    assert "Not excluded" in goods.locator("[data-claim=open]").inner_text()
    assert "−6.2 points (−9 to −3.1)" in goods.locator("[data-claim=association]").inner_text()
    goods.locator("summary").click()
    assert "competitor event: " in goods.inner_text()
    people = page.locator("article[data-dimension=people] .causes")
    assert people.locator("[data-verdict='not enough evidence']").count() == 1
    # What was pushed says where it stands, and how it came there.
    pushed = page.locator("article[data-dimension=goods] .pushed")
    assert pushed.locator("li[data-state=seen]").count() == 1
    pushed.locator("summary").click()
    assert "told Region: nobody opened it in time" in pushed.inner_text()
    assert page.faults == []
    page.context.close()


def wait_until_quiet(page: Any, asked: list[str]) -> None:
    """Until the page has asked for nothing for a second: of days near the screen it goes on."""
    still = 0
    while still < 10:
        asked.clear()
        page.wait_for_timeout(100)
        still = 0 if asked else still + 1


def test_a_change_is_put_in_place_and_nothing_else_is_asked_for(
    browser: Any,
) -> None:
    fake = FakeHub()
    fake.shops = 300
    with served(fake.app()) as url:
        page = open_view(browser, url, DESK)
        page.locator("table[aria-rowcount='301']").wait_for()
        page.locator("tr[data-shop] svg[width='70'] path:not([d=''])").first.wait_for()
        asked: list[str] = []
        page.on("request", lambda one: asked.append(one.url.removeprefix(url)))
        wait_until_quiet(page, asked)
        shop = page.locator("tr[data-shop]").nth(3).get_attribute("data-shop") or ""
        before = page.locator(f"tr[data-shop='{shop}'] td[data-dimension=goods]")
        assert before.get_attribute("data-colour") != "yellow"
        fake.turned[shop] = "yellow"
        page.locator(
            f"tr[data-shop='{shop}'] td[data-dimension=goods][data-colour=yellow]"
        ).wait_for()
        page.wait_for_function("() => document.querySelectorAll('.table').length === 1")
        kinds = {one.split("?")[0] for one in asked}
        assert kinds <= {"/api/board/columns", "/api/history"}
        assert all(f"shop={shop}" in one for one in asked)
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
        assert page.url.endswith(f"?curve=place&by={grain}")
        # The hole is no figure: four windows are said, of five that are drawn.
        curve.locator("[role=img][aria-label*='4 windows'] canvas").wait_for()
    assert curve.locator("select").count() == 1
    page.reload()
    curve.get_by_text("week of ").wait_for()
    curve.locator("select").first.select_option("day")
    curve.locator("[aria-label*='last 14 days'] canvas").wait_for()
    assert page.url.endswith("?curve=place")
    assert page.faults == []
    page.context.close()
