"""Photos whose bay nobody has said yet: shared, taken, killed, in two windows; sent once."""

import base64
import re
from pathlib import Path
from typing import Any, Final

import pytest

from planograms.bay_answers import NOTHING
from storepulse.eval.shop_world import kill_browser, watch
from storepulse.simulated.shelves import DrawnShelf, draw_shelf
from tests.dashboards.fake_shelf import BAY, PHOTO, jpeg
from tests.dashboards.looking import CHROMIUM, PYTESTMARK, SIZES, open_view
from tests.dashboards.paired_phone import PHONE, Node, wait_until_taken
from tests.dashboards.test_behaviour import said
from tests.dashboards.test_foundation import kept
from tests.patience import expect, until

pytestmark = PYTESTMARK

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
