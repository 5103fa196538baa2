"""What the pages do when somebody acts: doors, queues, undo. In a browser, against the fakes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.dashboards.fake_hub import PASSWORD, FakeHub
from tests.dashboards.fake_node import CODE, FakeNode
from tests.dashboards.fake_shop import phone_of_shop
from tests.dashboards.looking import PYTESTMARK, open_view
from tests.dashboards.served import served
from tests.hub.shop_facts import SHOP
from tests.patience import expect, until

pytestmark = PYTESTMARK
DESK = ("desk", "en", "light")
PHONE = ("phone", "en", "light")


@pytest.fixture
def hub() -> Iterator[tuple[FakeHub, str]]:
    fake = FakeHub()
    with served(fake.app()) as url:
        yield fake, url


@pytest.fixture
def node() -> Iterator[tuple[FakeNode, str]]:
    fake = FakeNode()
    with served(fake.app()) as url:
        yield fake, url


def said(fake: FakeNode, path: str) -> list[dict[str, Any]]:
    """The bodies of what was posted below a path."""
    return [json.loads(body) for method, at, body in fake.told if method == "POST" and path in at]


def test_forty_shops_fit_on_a_desk_and_of_many_only_those_in_sight_are_drawn(
    hub: tuple[FakeHub, str],
    browser: Any,
) -> None:
    fake, url = hub
    fake.shops = 600
    page = open_view(browser, url, DESK)
    # The first hundred come first, then all.
    page.locator("table[aria-rowcount='601']").wait_for()
    # Those in sight; rows of the first hundred may still hang on below them, or not.
    page.locator("tr[data-shop]").nth(40).wait_for()
    whole = """() => [...document.querySelectorAll('tr[data-shop]')].filter((row) => {
      const { top, bottom } = row.getBoundingClientRect()
      return top >= 0 && bottom <= innerHeight
    }).length >= 40"""
    page.wait_for_function(whole)
    assert page.locator("tr[data-shop]").count() < 120
    page.evaluate("() => document.querySelector('.table').scrollTo(0, 1e6)")
    page.locator("tr[aria-rowindex='601']").wait_for()
    page.context.close()


FLIGHT = """async () => {
  const box = document.querySelector('.table')
  const row = document.querySelector('tr[data-shop]').getBoundingClientRect()
  const sign = document.querySelector('td[data-dimension=goods] .sign svg').getBoundingClientRect()
  const seen = {}
  while (box.scrollTop + box.clientHeight < box.scrollHeight - 1) {
    // A wheel that turns, far faster than one reads.
    box.scrollTop += 300
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
    const canvas = document.querySelector('.table canvas')
    if (!canvas) continue
    const at = Math.ceil(box.scrollTop / row.height)
    const y = (at + 0.5) * row.height - box.scrollTop
    const x = sign.left - row.left + sign.width / 2
    const ink = canvas.getContext('2d').getImageData(Math.round(x), Math.round(y), 1, 1).data
    seen[at] = `rgb(${[...ink].slice(0, 3).join(', ')})`
  }
  return seen
}"""
"""From the first row to the last; gives the ink of the sign of each row that was looked at."""
SURE_INK = """(at) => {
  const sign = document.querySelector(
    `tr[aria-rowindex="${at + 2}"] td[data-dimension=goods] .sign path:not(.hollow, .probably)`)
  return sign && getComputedStyle(sign).fill
}"""


def test_who_flies_over_rows_sees_the_sign_of_each_until_the_rows_are_there(
    hub: tuple[FakeHub, str],
    browser: Any,
) -> None:
    fake, url = hub
    fake.shops = 600
    page = open_view(browser, url, DESK)
    page.locator("table[aria-rowcount='601']").wait_for()
    page.locator("tr[data-shop] svg[width='70'] path:not([d=''])").first.wait_for()
    seen = {int(at): ink for at, ink in page.evaluate(FLIGHT).items()}
    # It has landed: rows with their days, as one reads them, and nothing over them.
    page.locator("tr[aria-rowindex='601'] svg[width='70'] path:not([d=''])").first.wait_for()
    page.locator(".table canvas").wait_for(state="detached")
    page.wait_for_function(
        """() => [...document.querySelectorAll('tr[data-shop]')]
          .every((row, n, all) => !n || +row.ariaRowIndex > +all[n - 1].ariaRowIndex)"""
    )
    assert len(seen) > 10
    compared = 0
    for at in list(seen)[::4]:
        page.evaluate(f"document.querySelector('.table').scrollTo(0, {at} * 18)")
        page.locator(f"tr[aria-rowindex='{at + 2}']").wait_for()
        sure = page.evaluate(SURE_INK, at)
        if sure:
            assert seen[at] == sure
            compared += 1
    assert compared > 1
    assert page.faults == []
    page.context.close()


def test_who_is_signed_out_signs_in_and_is_where_he_wanted_to_be(
    hub: tuple[FakeHub, str],
    browser: Any,
) -> None:
    fake, url = hub
    fake.signed_in = False
    page = open_view(browser, f"{url}/#/shop/{SHOP}?curve=place", DESK)
    page.locator("input[name=username]").fill("Lin")
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("button.first").click()
    page.locator(".curve canvas").wait_for()
    expect(page).to_have_url(re.compile(rf"#/shop/{SHOP}\?curve=place$"))
    # A session that was ended elsewhere: the next question leads to the door, and nothing stays.
    # By its address: a question that is still under way may have led to the door already.
    fake.signed_in = False
    page.evaluate("location.hash = '#/people'")
    page.locator("input[type=password]").wait_for()
    expect(page.locator("tr[data-shop], article")).to_have_count(0)
    page.locator("input[name=username]").fill("Lin")
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("button.first").click()
    page.locator("li[data-person]").first.wait_for()
    page.context.close()


def test_a_manager_pairs_a_phone_and_sees_it_come(
    hub: tuple[FakeHub, str],
    browser: Any,
) -> None:
    fake, url = hub
    page = open_view(browser, f"{url}/#/shop/{SHOP}", DESK)
    page.locator(".phones .top button").click()
    page.locator(".pairing .code", has_text="7K3M-Q9XD").wait_for()
    page.locator(".qr svg path").wait_for()
    page.get_by_text("The shop's node knows the code.").wait_for()
    fake.paired = [phone_of_shop("Anna's phone")]
    page.locator(".pairing .done", has_text="Anna's phone").wait_for()
    page.context.close()


def wait_until_heard(page: Any, fake: FakeNode, path: str, times: int) -> None:
    """Until the node was told so often: the page may say that nothing waits before it begins."""
    until(lambda: len(said(fake, path)) >= times, what=f"{times} times {path}", page=page)
    assert len(said(fake, path)) == times


def test_what_waits_stays_while_a_phone_is_ended_and_goes_once_when_it_is_paired_again(
    node: tuple[FakeNode, str],
    browser: Any,
) -> None:
    fake, url = node
    fake.pair()
    page = open_view(browser, url, PHONE)
    page.locator("button[data-tap=reception]").click()
    wait_until_heard(page, fake, "/api/taps", 1)
    page.get_by_text("Everything is sent.").wait_for()
    # Away while it is ended: a page that asks meanwhile would have no button any more.
    page.context.set_offline(True)
    page.locator("button[data-tap=reception]").click()
    page.get_by_text("Waiting to be sent: 1.").wait_for()
    fake.phone = None
    page.context.set_offline(False)
    page.get_by_text("Kept on this phone: 1.").wait_for()
    page.locator("input.code").fill("7k3m q9xd")
    expect(page.locator("input.code")).to_have_value(CODE)
    page.locator("button.first").click()
    page.locator("label.big").wait_for()
    wait_until_heard(page, fake, "/api/taps", 2)
    page.get_by_text("Everything is sent.").wait_for()
    uuids = [one["uuid"] for one in said(fake, "/api/taps")]
    assert len(uuids) == len(set(uuids)) == 2
    page.context.close()


def test_a_photo_begun_right_after_pairing_stays_when_the_node_tells_the_rest_late(
    node: tuple[FakeNode, str],
    browser: Any,
) -> None:
    fake, url = node
    fake.walk(bays=2)
    fake.ticket_pages = "https://hub.example/ticket#"
    page = open_view(browser, f"{url}/#/pair/{CODE}", PHONE)
    page.locator("input.code").wait_for()
    held: list[Any] = []
    page.route("**/api/phone", lambda route: held.append(route))
    page.locator("button.first").click()
    page.locator(".photo input[type=file]").first.set_input_files(
        {"name": "shelf.jpg", "mimeType": "image/jpeg", "buffer": b"of a shelf"}
    )
    page.locator(".ask h2").wait_for()
    until(lambda: held, what="the question that is answered late", page=page)
    held[0].continue_()
    page.wait_for_function("() => localStorage['storepulse.phone']?.includes('ticketPages')")
    expect(page).to_have_url(f"{url}/#/")
    # What the address changed is on the screen.
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))")
    expect(page.locator(".ask h2")).to_be_visible(timeout=1)
    page.context.close()


def test_a_browser_that_keeps_no_page_of_an_address_shows_the_account_all_the_same(
    hub: tuple[FakeHub, str],
    browser: Any,
) -> None:
    """As Chromium refuses the worker of a page whose certificate it does not know."""
    _, url = hub
    page = open_view(browser, url, DESK)
    page.locator("tr[data-shop]").first.wait_for()
    page.add_init_script(
        "navigator.serviceWorker.register = async () => {"
        " window.refused = true; throw new DOMException('no', 'SecurityError') }"
    )
    page.goto(f"{url}/#/me")
    page.reload()
    page.wait_for_function("() => window.refused")
    page.locator("main h2, main h1").first.wait_for()
    page.wait_for_load_state("networkidle")
    expect(page.locator("main [role=alert]")).to_have_count(0)
    page.context.close()


def test_an_answer_to_an_action_can_be_taken_back_and_then_goes_once(
    node: tuple[FakeNode, str],
    browser: Any,
) -> None:
    fake, url = node
    fake.pair()
    page = open_view(browser, url, PHONE)
    page.locator("a[href^='#/action/']").click()
    wait_until_heard(page, fake, "/api/actions/", 1)
    page.locator(".say button.first").click()
    page.locator(".undo button").click()
    # It asks again, and the node has heard only that it was opened.
    page.locator("a[href^='#/action/']").click()
    page.locator(".say button").nth(1).click()
    page.locator(".say button").nth(1).click()
    wait_until_heard(page, fake, "/api/actions/", 2)
    page.get_by_text("Everything is sent.").wait_for()
    events = [(one["event"], one["reason"]) for one in said(fake, "/api/actions/")]
    assert events == [("opened", ""), ("declined", "no_people")]
    page.context.close()


def tab_to(page: Any, selector: str, most: int = 60) -> None:
    """Go on with the tab key alone until a thing has the focus."""
    page.locator(selector).first.wait_for()
    for _ in range(most):
        if page.evaluate(f"document.activeElement?.matches({selector!r}) ?? false"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {selector}")


def test_a_manager_gets_from_red_to_the_photo_by_keyboard_alone(
    hub: tuple[FakeHub, str],
    browser: Any,
) -> None:
    _, url = hub
    page = open_view(browser, f"{url}/#/?find=harbour&by=goods", DESK)
    page.locator(f"tr[data-shop='{SHOP}']").wait_for()
    tab_to(page, f"tr[data-shop='{SHOP}'] a")
    page.keyboard.press("Enter")
    page.locator("article[data-dimension=goods] .evidence a").wait_for()
    tab_to(page, "article[data-dimension=goods] .evidence a")
    page.keyboard.press("Enter")
    page.wait_for_function("() => [...document.images].some((one) => one.naturalWidth > 500)")
    page.context.close()


# Excel needs no named style; openpyxl says that it put its own in place.
@pytest.mark.filterwarnings("ignore:Workbook contains no default style")
def test_a_table_is_saved_as_a_workbook_that_opens_and_has_no_formula(
    hub: tuple[FakeHub, str],
    browser: Any,
    tmp_path: Path,
) -> None:
    _, url = hub
    page = open_view(browser, url, DESK)
    page.locator("button[data-form=xlsx]:enabled").wait_for()
    with page.expect_download() as coming:
        page.locator("button[data-form=xlsx]").click()
    file = tmp_path / "board.xlsx"
    coming.value.save_as(file)
    (sheet,) = openpyxl.load_workbook(file).worksheets
    rows = list(sheet.iter_rows())
    assert len(rows) == 61
    assert [cell.value for cell in rows[0]][:3] == ["day", "shop", "name"]
    assert all(cell.data_type != "f" for row in rows for cell in row)
    assert page.faults == []
    page.context.close()
