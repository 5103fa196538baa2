"""What the clerk's page does with shared photos, names, tickets and what is unclear."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from planograms.bay_answers import NOTHING
from storepulse.eval.shop_world import kill_browser, watch
from storepulse.simulated.shelves import DrawnShelf, draw_shelf
from tests.dashboards.fake_node import PIN, TICKET, FakeNode
from tests.dashboards.fake_shelf import BAY, PHOTO, FakeShelf, jpeg
from tests.dashboards.looking import CHROMIUM, PYTESTMARK, SIZES, open_view
from tests.dashboards.served import served
from tests.dashboards.test_behaviour import said, tab_to, wait_until_heard
from tests.dashboards.test_foundation import kept
from tests.patience import expect, until

pytestmark = PYTESTMARK

PHONE = ("phone", "en", "light")
SHARE = """(bytes) => {
  const form = Object.assign(document.createElement('form'),
    { method: 'POST', action: '/share', enctype: 'multipart/form-data' })
  const field = Object.assign(document.createElement('input'), { type: 'file', name: 'photo' })
  const file = new File([Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0))], 'shelf.jpg',
    { type: 'image/jpeg' })
  const given = new DataTransfer()
  given.items.add(file)
  field.files = given.files
  form.append(field)
  document.body.append(form)
  form.submit()
}"""


@pytest.fixture(scope="module")
def shelf() -> DrawnShelf:
    return draw_shelf(4)


@pytest.fixture
def node(shelf: DrawnShelf) -> Iterator[tuple[FakeNode, FakeShelf, str]]:
    fake, seen = FakeNode(), FakeShelf(shelf, [shelf.facings[5].box_xyxy_px])
    fake.pair()
    app = fake.app()
    app.router.routes[:0] = seen.routes().routes
    with served(app) as url:
        yield fake, seen, url


Node = tuple[FakeNode, FakeShelf, str]


def test_a_photo_that_the_gallery_shares_waits_for_its_bay_and_goes_once(
    node: Node,
    browser: Any,
    shelf: DrawnShelf,
) -> None:
    """As an installed page gets it: the worker that keeps the page answers the POST."""
    _, seen, url = node
    page = open_view(browser, url, PHONE)
    page.locator("label.big").wait_for()
    kept(page)
    photo = jpeg(shelf.rgb)
    page.evaluate(SHARE, base64.b64encode(photo).decode())
    page.locator(".shared img").wait_for()
    expect(page).to_have_url(f"{url}/#/shared")
    # Nobody has said what it shows: nothing is sent, and it is still there after a reload.
    page.goto(f"{url}/#/")
    page.get_by_text("Photos waiting for their bay: 1").click()
    page.locator(".shared img").wait_for()
    assert seen.kept == []
    page.locator(".shared button.first").click()
    page.locator("[data-item]").first.wait_for()
    wait_until_taken(page, seen, 1)
    ((uuid, bay, came),) = seen.kept
    assert (bay, came) == (BAY, photo)
    expect(page).to_have_url(re.compile(f"{uuid}$"))
    page.goto(f"{url}/#/shared")
    page.get_by_text("No photo is waiting for its bay.").wait_for()
    page.context.close()


def test_a_shared_photo_has_no_bay_until_somebody_says_one(
    node: Node,
    browser: Any,
    shelf: DrawnShelf,
) -> None:
    fake, seen, url = node
    fake.walk(bays=8)
    fake.seen = NOTHING
    page = open_view(browser, url, PHONE)
    page.locator("label.big").wait_for()
    kept(page)
    page.evaluate(SHARE, base64.b64encode(jpeg(shelf.rgb)).decode())
    # Not even the next bay of the round, which waits to be photographed: eight alike.
    bays = page.locator(".shared .bays button")
    expect(bays).to_have_count(8)
    expect(page.locator(".shared .first, .shared .likeliest, .shared select")).to_have_count(0)
    expect(page.locator(".ask")).to_contain_text("The photo does not tell for sure")
    page.locator(".bays button[aria-disabled=false]", has_text="bay-4").click()
    wait_until_taken(page, seen, 1)
    assert seen.kept[0][1] == "bay-4"
    # Where the photo itself tells, that is offered: one tap.
    fake.walk(bays=8)
    page.evaluate(SHARE, base64.b64encode(jpeg(draw_shelf(9).rgb)).decode())
    page.locator(".shared .first[aria-disabled=false]", has_text="bay-7").click()
    wait_until_taken(page, seen, 2)
    assert seen.kept[1][1] == "bay-7"
    page.context.close()


KEPT: Final = """() => new Promise((resolve) => {
  const asked = indexedDB.open('storepulse')
  asked.onsuccess = () => {
    const act = asked.result.transaction(['asked', 'photos', 'waiting'])
    const found = {}
    for (const name of ['asked', 'photos', 'waiting']) {
      act.objectStore(name).getAll().onsuccess = ({ target }) => {
        found[name] = target.result.map(({ uuid, bay, takenAt }) => ({ uuid, bay, takenAt }))
      }
    }
    act.oncomplete = () => { asked.result.close(); resolve(found) }
  }
})"""
"""What the phone has of photos, at one moment."""
YES: Final = ".ask .first[aria-disabled=false]"


def choose(page: Any, photo: bytes) -> None:
    content = {"name": "bay.jpg", "mimeType": "image/jpeg", "buffer": photo}
    page.locator("label.choose input").first.set_input_files(content)
    page.locator(".ask").wait_for()


def test_a_photo_whose_bay_is_asked_survives_a_killed_browser(
    node: Node,
    playwright: Any,
    tmp_path: Path,
    shelf: DrawnShelf,
) -> None:
    fake, seen, url = node
    fake.walk(bays=8)
    photo = jpeg(shelf.rgb)

    def opened() -> Any:
        context = playwright.chromium.launch_persistent_context(
            str(tmp_path), executable_path=str(CHROMIUM), args=["--no-sandbox"], locale="en",
            **SIZES["phone"],
        )  # fmt: skip
        page = context.pages[0]
        watch(page)
        page.goto(url)
        return page

    page = opened()
    choose(page, photo)
    page.get_by_text("Photos waiting for their bay: 1").wait_for()
    (before,) = page.evaluate(KEPT)["asked"]
    kill_browser(tmp_path)
    page = opened()
    # It is asked again, as it was; the photo came when it came, not when its bay was said.
    page.locator(YES, has_text="bay-7").wait_for()
    assert page.evaluate(KEPT) == {"asked": [before], "photos": [], "waiting": []}
    assert seen.kept == []
    page.locator(YES).click()
    page.wait_for_function("(uuid) => location.hash === `#/photo/${uuid}`", arg=before["uuid"])
    wait_until_taken(page, seen, 1)
    assert seen.kept == [(before["uuid"], "bay-7", photo)]
    until(lambda: not page.evaluate(KEPT)["waiting"], what="the answer on the phone", page=page)
    sent = {**before, "bay": "bay-7"}
    assert page.evaluate(KEPT) == {"asked": [], "photos": [sent], "waiting": []}
    page.context.close()


def test_a_close_up_and_a_photo_after_are_on_the_phone_before_anything_else(
    node: Node,
    browser: Any,
) -> None:
    """Their bay is known: nothing is asked, and nothing of them is in the page's memory alone."""
    fake, seen, url = node
    fake.walk(bays=8)
    seen.unsure = 4
    page = open_view(browser, f"{url}/#/photo/{PHOTO}", PHONE)
    content = {"name": "near.jpg", "mimeType": "image/jpeg", "buffer": jpeg(draw_shelf(9).rgb)}
    for at, of in enumerate((".closeups input", ".again input"), 1):
        page.locator(of).wait_for(state="attached")
        page.context.set_offline(True)
        page.locator(of).set_input_files(content)
        page.get_by_text(f"Waiting to be sent: {at}.").wait_for()
        found = page.evaluate(KEPT)
        assert (len(found["waiting"]), len(found["photos"]), found["asked"]) == (at, at, [])
        assert {one["bay"] for one in found["waiting"]} == {BAY}
        page.go_back()
    page.context.set_offline(False)
    wait_until_taken(page, seen, 2)
    page.context.close()


def test_photos_without_a_bay_are_asked_about_in_their_order_and_once_in_two_windows(
    node: Node,
    browser: Any,
    shelf: DrawnShelf,
) -> None:
    fake, seen, url = node
    fake.walk(bays=8)
    one = open_view(browser, url, PHONE)
    other = one.context.new_page()
    other.goto(url)
    first, second = jpeg(shelf.rgb), jpeg(draw_shelf(9).rgb)
    for page in (one, other):
        page.locator("label.big").wait_for()
    choose(one, first)
    choose(other, second)
    waiting = sorted(other.evaluate(KEPT)["asked"], key=lambda each: each["takenAt"])
    uuids = [each["uuid"] for each in waiting]
    # Both windows ask about the first; the second comes once that has its bay.
    shown = [page.locator(".ask img").get_attribute("src") for page in (one, other)]
    other.locator(YES).click()
    expect(other.locator(".ask img")).not_to_have_attribute("src", shown[1])
    wait_until_taken(other, seen, 1)
    assert other.evaluate("location.hash") in ("", "#/")
    one.locator(YES).click()
    expect(one.locator(".ask img")).not_to_have_attribute("src", shown[0])
    assert [photo for _, _, photo in seen.kept] == [first]
    one.locator(".ask button.plain[aria-disabled=false]").click()
    one.locator("label.big").wait_for()
    # Dropped there: it cannot go from here any more.
    other.locator(YES).click()
    other.locator("label.big").wait_for()
    assert other.evaluate(KEPT)["asked"] == []
    assert [uuid for uuid, _, _ in seen.kept] == uuids[:1]
    one.context.close()


OLDER: Final = """([version, bytes]) => new Promise((resolve, reject) => {
  const asked = indexedDB.open('storepulse', version)
  asked.onerror = reject
  asked.onupgradeneeded = () => {
    const db = asked.result
    db.createObjectStore('waiting', { keyPath: 'number', autoIncrement: true })
    db.createObjectStore('photos', { keyPath: 'uuid' }).createIndex('takenAt', 'takenAt')
    db.createObjectStore('taps', { keyPath: 'uuid' }).createIndex('at', 'at')
    if (version > 1) db.createObjectStore('answers', { keyPath: 'address' }).createIndex('at', 'at')
  }
  asked.onsuccess = () => {
    const at = '2026-11-20T10:00:00.000Z'
    const file = new Blob([Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0))])
    const act = asked.result.transaction(['waiting', 'photos', 'taps'], 'readwrite')
    act.objectStore('photos').put({ uuid: 'earlier', bay: 'bay-1', takenAt: at })
    act.objectStore('photos').put({ uuid: 'photo', bay: 'bay-1', takenAt: at })
    act.objectStore('waiting').add({ what: 'photo', uuid: 'photo', bay: 'bay-1', photo: file })
    act.objectStore('taps').put({ uuid: 'tap', kind: 'reception', at, undone: false })
    act.objectStore('waiting').add({ what: 'tap', uuid: 'tap', kind: 'reception', at })
    // Held open, as by a page that knows of no newer one.
    act.oncomplete = () => { window.held = asked.result; resolve() }
  }
})"""


@pytest.mark.parametrize("version", [1, 2])
def test_what_an_older_page_kept_waits_until_that_is_closed_and_goes_once(
    node: Node,
    browser: Any,
    shelf: DrawnShelf,
    version: int,
) -> None:
    fake, seen, url = node
    photo = jpeg(shelf.rgb)
    older = open_view(browser, f"{url}/api/none", PHONE)
    older.evaluate(OLDER, [version, base64.b64encode(photo).decode()])
    page = older.context.new_page()
    page.goto(url)
    page.get_by_text("Another window shows an older storepulse").wait_for()
    assert seen.kept == []
    older.close()
    page.locator("label.big").wait_for()
    page.get_by_text("Everything is sent.").wait_for()
    assert seen.kept == [("photo", "bay-1", photo)]
    assert [one["uuid"] for one in said(fake, "/api/taps")] == ["tap"]
    found = page.evaluate(KEPT)
    assert sorted(one["uuid"] for one in found["photos"]) == ["earlier", "photo"]
    assert (found["asked"], found["waiting"]) == ([], [])
    expect(page.locator("button[data-tap=reception]")).to_be_visible()
    page.context.close()


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


def wait_until_taken(page: Any, seen: FakeShelf, times: int) -> None:
    """Until the node has so many photos."""
    until(lambda: len(seen.kept) >= times, what=f"photo {times} at the node", page=page)
    assert len(seen.kept) == times


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


def test_who_taps_twice_that_this_is_the_bay_sends_one_photo(
    node: Node,
    browser: Any,
) -> None:
    fake, seen, url = node
    fake.walk(bays=8)
    page = open_view(browser, url, PHONE)
    page.locator("label.choose input").first.set_input_files(
        {"name": "shelf.jpg", "mimeType": "image/jpeg", "buffer": jpeg(draw_shelf(9).rgb)}
    )
    page.locator(".ask button.first[aria-disabled=false]", has_text="bay-7").wait_for()
    page.locator(".ask button.first").evaluate("(yes) => { yes.click(); yes.click() }")
    page.wait_for_url("**/#/photo/*")
    wait_until_taken(page, seen, 1)
    page.get_by_text("Everything is sent.").wait_for(state="attached")
    assert len(seen.kept) == 1
    page.context.close()
