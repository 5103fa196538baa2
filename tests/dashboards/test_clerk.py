"""What the clerk's page does with names, tickets, ticks and what is unclear."""

import re
from typing import Any

from storepulse.simulated.shelves import draw_shelf
from tests.dashboards.fake_node import PIN, TICKET
from tests.dashboards.fake_shelf import PHOTO, jpeg
from tests.dashboards.looking import PYTESTMARK, open_view
from tests.dashboards.paired_phone import PHONE, Node, wait_until_taken
from tests.dashboards.test_behaviour import said, tab_to, wait_until_heard
from tests.dashboards.test_foundation import kept
from tests.patience import expect, until

pytestmark = PYTESTMARK


def test_the_switch_for_notices_comes_late_and_moves_nothing(
    node: Node,
    browser: Any,
) -> None:
    _, _, url = node
    page = open_view(browser, f"{url}/api/none", PHONE)
    held: list[Any] = []
    page.route("**/api/push", lambda route: held.append(route))
    page.goto(url)
    page.locator("section li a").wait_for()
    until(lambda: held, what="the question whether notices are sent", page=page)
    footer = page.locator("footer")
    footer.wait_for()
    before = footer.bounding_box()
    switch = page.locator("input[role=switch]")
    expect(switch).to_be_hidden()
    held[0].continue_()
    switch.wait_for()
    assert footer.bounding_box() == before
    page.context.close()


def test_what_is_done_has_a_tick_on_the_photo_and_in_the_list(
    node: Node,
    browser: Any,
) -> None:
    _, seen, url = node
    page = open_view(browser, f"{url}/#/photo/{PHOTO}", PHONE)
    page.locator(".shelf .badge").wait_for()
    expect(page.locator(".badge svg, .number svg")).to_have_count(0)
    page.locator("[data-item='1'] .head").click()
    page.locator("[data-item='1'] .say button.first").click()
    expect(page.locator(".shelf .badge.closed svg")).to_have_count(1)
    expect(page.locator("[data-item='1'] .number svg")).to_have_count(1)
    label = "Mark 1: Refill place 1 of the shelf (done)"
    expect(page.locator(".shelf .badge")).to_have_attribute("aria-label", label)
    until(lambda: seen.marks, what="the mark at the node", page=page)
    page.context.close()


def test_own_figures_show_behind_a_pin_and_go_with_their_owner(
    node: Node,
    browser: Any,
) -> None:
    fake, _, url = node
    fake.names = ("Anna", "Bo")
    page = open_view(browser, url, PHONE)
    tab_to(page, "button[data-person]")
    page.keyboard.press("Enter")
    page.locator("button.name", has_text="Bo").click()
    page.locator("input[type=password]").fill("1111")
    page.keyboard.press("Enter")
    page.locator("dialog [role=alert]").wait_for()
    expect(page.locator(".own")).to_have_count(0)
    page.locator("input[type=password]").fill(PIN)
    page.keyboard.press("Enter")
    page.get_by_text("Bo today: receptions 3, experiences 2, deals 1").wait_for()
    # The turn ended on the node: with the next look the figures are gone, and were never kept.
    fake.picked = None
    page.reload()
    page.locator("button[data-person]").wait_for()
    kept(page)
    page.context.set_offline(True)
    page.reload()
    page.locator("label.big").wait_for()
    # Until it has asked for all that it shows.
    page.wait_for_load_state("networkidle")
    expect(page.locator(".own")).to_have_count(0)
    page.context.close()


def test_the_ticket_of_an_experience_is_shown_and_a_deal_names_it(
    node: Node,
    browser: Any,
) -> None:
    fake, _, url = node
    page = open_view(browser, url, PHONE)
    page.locator("button[data-tap=experience]").click()
    page.locator("button[data-ticket]").click()
    page.locator("dialog .number", has_text=TICKET).wait_for()
    page.keyboard.press("Escape")
    page.locator("button[data-tap=deal]").click()
    page.locator(".tickets button", has_text=TICKET).click()
    wait_until_heard(page, fake, "/api/taps", 2)
    assert said(fake, "/api/taps")[1]["ticket"] == TICKET
    # A ticket that has its deal is not offered again.
    page.locator("button[data-tap=deal]").click()
    page.locator("dialog[open] form").wait_for()
    expect(page.locator(".tickets button")).to_have_count(0)
    page.context.close()


def test_a_ticket_is_shown_with_its_qr_while_the_node_is_away_and_is_told_later(
    node: Node,
    browser: Any,
) -> None:
    fake, _, url = node
    fake.ticket_pages = "https://hub.example/ticket#"
    page = open_view(browser, url, PHONE)
    page.locator("label.big").wait_for()
    kept(page)
    # The library that draws QRs came with the page.
    page.context.set_offline(True)
    page.locator("button[data-tap=experience]").click()
    page.locator("button[data-ticket]").click()
    page.locator("dialog svg path").wait_for(state="attached")
    ticket = page.locator("dialog .number").inner_text()
    assert re.fullmatch(r"[0-9]{4}-[2-9A-HJKMNP-Z]{5}", ticket)
    page.keyboard.press("Escape")
    page.context.set_offline(False)
    wait_until_heard(page, fake, "/api/taps", 1)
    (told,) = said(fake, "/api/taps")
    assert told["ticket"] == ticket
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", told["token"])
    page.context.close()


def test_what_is_unclear_asks_for_a_close_up_and_is_no_item(
    node: Node,
    browser: Any,
) -> None:
    _, seen, url = node
    seen.unsure = 4
    page = open_view(browser, f"{url}/#/photo/{PHOTO}", PHONE)
    expect(page.locator(".closeups rect.here")).to_have_count(4)
    expect(page.locator("[data-item]")).to_have_count(1)
    content = {"name": "near.jpg", "mimeType": "image/jpeg", "buffer": jpeg(draw_shelf(9).rgb)}
    page.locator(".closeups input").set_input_files(content)
    page.wait_for_function("(photo) => !location.hash.endsWith(photo)", arg=PHOTO)
    wait_until_taken(page, seen, 1)
    page.context.close()


def test_prices_join_the_list_and_leave_what_she_works_on_where_it_is(
    node: Node,
    browser: Any,
) -> None:
    _, seen, url = node
    seen.prices = "coming"
    page = open_view(browser, f"{url}/#/photo/{PHOTO}", PHONE)
    page.locator("[data-prices=coming]").wait_for()
    page.locator("[data-item='1'] .head").click()
    say = page.locator("[data-item='1'] .say")
    say.wait_for()
    # As large as it will be: its photo and its letters are there.
    page.wait_for_function("() => [...document.images].every((one) => one.complete)")
    page.evaluate("document.fonts.ready.then(() => undefined)")
    before = say.bounding_box()
    seen.prices = "read"
    page.locator("[data-item='1-wrong_price-f1']").wait_for()
    assert say.bounding_box() == before
    items = page.locator("[data-item]")
    expect(items).to_have_count(2)
    for at, name in enumerate(("1", "1-wrong_price-f1")):
        expect(items.nth(at)).to_have_attribute("data-item", name)
    page.locator("[data-prices=read]").wait_for()
    page.locator("[data-item='1-wrong_price-f1'] .head").click()
    with page.expect_response("**/api/checklists/prices/items/1-wrong_price-f1"):
        page.locator("[data-item='1-wrong_price-f1'] .say button").first.click()
    page.locator("[data-item='1-wrong_price-f1'][data-state=done]").wait_for()
    assert seen.marks == [("1-wrong_price-f1", "done")]
    expect(page.locator("[data-item='1'][data-state=open]")).to_have_count(1)
    page.context.close()


def test_a_list_that_comes_late_takes_back_no_tick(
    node: Node,
    browser: Any,
) -> None:
    _, seen, url = node
    page = open_view(browser, url, PHONE)
    held: list[tuple[Any, Any]] = []
    # The list as it was before she ticked, on its way until after.
    page.route("**/api/checklists/list", lambda route: held.append((route, route.fetch())))
    page.locator("label.choose input").first.set_input_files(
        {"name": "shelf.jpg", "mimeType": "image/jpeg", "buffer": jpeg(draw_shelf(9).rgb)}
    )
    page.locator("[data-item='1'] .head").click()
    until(lambda: held, what="the question for the list", page=page)
    page.locator("[data-item='1'] .say button").first.click()
    until(lambda: seen.marks, what="the tick at the node", page=page)
    page.get_by_text("Everything is sent.").wait_for(state="attached")
    ((route, before),) = held
    with page.expect_response("**/api/checklists/list") as late:
        route.fulfill(response=before)
    late.value.finished()
    page.evaluate("new Promise((go) => requestAnimationFrame(() => setTimeout(go)))")
    expect(page.locator("[data-item='1'][data-state=done]")).to_have_count(1)
    page.context.close()
