"""What the pages promise beside their looks: forms have addresses, tables go along, old is told."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from hub.metrics import CATALOGUE
from storepulse.actions import DIMENSIONS
from storepulse.simulated.shelves import draw_shelf
from tests.dashboards.fake_hub import FakeHub
from tests.dashboards.fake_node import FakeNode
from tests.dashboards.fake_plans import FakePlans
from tests.dashboards.fake_shelf import PHOTO, FakeShelf
from tests.dashboards.looking import PYTESTMARK, become, look_at, open_view
from tests.dashboards.served import served
from tests.hub.shop_facts import SHOP

pytestmark = PYTESTMARK
DESK: Final = ("desk", "en", "light")
PHONE: Final = ("phone", "en", "light")


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    app = FakeHub().app()
    app.include_router(FakePlans().routes())
    with served(app) as url:
        yield url


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("#/plans?new=1", "form input[type=file]", ""),
        ("#/rounds?of=endcap", ".fields label:nth-child(2) input", "Promotion ends"),
        ("#/people?invite=1", "fieldset input", ""),
    ],
)
def test_a_form_is_opened_by_its_address_and_leaves_it(
    hub: str, browser: Any, path: str, field: str, value: str
) -> None:
    page = open_view(browser, f"{hub}/{path}", DESK)
    found = page.locator(field).first
    found.wait_for()
    if value:
        page.wait_for_function(
            "([field, value]) => document.querySelector(field).value === value", arg=[field, value]
        )
    page.locator("form button.plain[type=button]").first.click()
    found.wait_for(state="detached")
    page.wait_for_function("() => !location.hash.includes('?')")
    page.context.close()


@pytest.mark.parametrize(
    ("path", "of", "lines"),
    [
        ("#/plans", "Planograms", 4),
        ("#/rounds", "Photo rounds", 4),
        (f"#/shop/{SHOP}", "Shelves", 31),
        # All sixty shops, with those that lack a figure.
        ("#/compare?x=visitors&y=rain", "Shops compared", 61),
    ],
)
def test_a_table_is_taken_along(hub: str, browser: Any, path: str, of: str, lines: int) -> None:
    page = open_view(browser, f"{hub}/{path}", DESK)
    button = page.locator(f"[data-form=csv][aria-label*='{of}']:enabled")
    with page.expect_download() as taken:
        button.click()
    told = taken.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(told) == lines
    assert ("visitors_standing" if "compare" in path else "bay") in told[0]
    page.context.close()


@pytest.mark.parametrize("path", ["#/audit", f"#/shop/{SHOP}", "#/compare?x=visitors&y=rain"])
def test_a_wide_table_shows_that_it_scrolls_and_does_by_keyboard(
    hub: str, browser: Any, path: str
) -> None:
    page = open_view(browser, f"{hub}/{path}", PHONE)
    wide = page.locator(".wide", has=page.locator("table tbody td")).first
    wide.locator(".edge.right").wait_for()
    assert wide.locator(".edge.left").count() == 0
    box = wide.locator(".scroll")
    assert box.get_attribute("role") == "region"
    assert box.get_attribute("aria-label")
    box.focus()
    for _ in range(60):
        page.keyboard.press("ArrowRight")
    wide.locator(".edge.left").wait_for()
    wide.locator(".edge.right").wait_for(state="detached")
    # Where everything has room there is nothing to scroll, and no stop for the keyboard.
    become(page, "desk", "light")
    wide.locator(".edge").first.wait_for(state="detached")
    assert box.get_attribute("tabindex") is None
    page.context.close()


def test_shops_are_compared_on_any_two_metrics_and_the_address_holds_which(
    hub: str, browser: Any
) -> None:
    page = open_view(browser, f"{hub}/#/compare", DESK)
    page.locator("figure svg .sign").first.wait_for()
    across = page.locator("select[name=x]")
    names = across.locator("option").evaluate_all("all => all.map((one) => one.value)")
    assert set(names) == {*DIMENSIONS, *CATALOGUE}
    across.select_option("visitors")
    page.locator("select[name=y]").select_option("price_compliance")
    page.locator("thead [data-order=x]", has_text="visits").click()
    page.locator("th[aria-sort=descending]").wait_for()
    page.locator("select[name=by]").select_option("region")
    page.locator(".groups section").nth(1).wait_for()
    address = page.url
    assert {"x=visitors", "y=price_compliance", "order=x", "by=region"} <= set(
        address.partition("?")[2].split("&")
    )
    told = page.locator(".table tbody tr").all_inner_texts()
    page.locator("details summary", has_text="Not shown").click()
    lacking = page.locator(".missing li").all_inner_texts()
    assert any("nothing told" in one for one in lacking)
    assert any("not enough evidence" in one for one in lacking)
    page.context.close()
    # Somebody else is sent the address.
    page = open_view(browser, address, DESK)
    page.locator(".table tbody tr").first.wait_for()
    assert page.locator(".table tbody tr").all_inner_texts() == told
    page.context.close()


def test_limits_have_a_unit_and_a_round_says_from_when(hub: str, browser: Any) -> None:
    page = open_view(browser, f"{hub}/#/policy", DESK)
    legend = page.locator("fieldset[data-dimension=place] legend")
    legend.wait_for()
    assert "(minutes)" in legend.inner_text()
    page.goto(f"{hub}/#/rounds")
    page.locator("li[data-round]", has_text="from").first.wait_for()
    page.context.close()


def test_a_trial_of_other_limits_says_so_and_stays_readable(hub: str, browser: Any) -> None:
    page = open_view(browser, f"{hub}/#/policy", DESK)
    limit = page.locator("fieldset[data-dimension=goods] input").first
    limit.fill("72")
    page.locator("form button.first").click()
    page.locator("article[data-trial=goods]").wait_for()
    assert page.locator("section.old").count() == 0
    limit.fill("71")
    page.locator("section.old", has_text="try again").wait_for()
    look_at(page, "policy-outdated", DESK)
    page.context.close()


def test_a_colour_that_another_follows_is_said_to_be_there_still(hub: str, browser: Any) -> None:
    page = open_view(browser, f"{hub}/#/kit", DESK)
    page.get_by_text("still at risk (62%), turning to act now").wait_for()
    page.get_by_text("probably at risk (62%)", exact=True).wait_for()
    page.context.close()


def test_a_photo_with_nothing_to_put_right_asks_for_none_after(browser: Any) -> None:
    fake = FakeNode()
    fake.pair()
    app = fake.app()
    seen = FakeShelf(draw_shelf(4), [], shown=0)
    app.router.routes[:0] = seen.routes().routes
    with served(app) as url:
        page = open_view(browser, f"{url}/#/photo/{PHOTO}", PHONE)
        home = page.locator(".again a.button")
        home.wait_for()
        assert page.locator(".again input[type=file]").count() == 0
        home.click()
        page.locator("label.big").wait_for()
        page.context.close()
