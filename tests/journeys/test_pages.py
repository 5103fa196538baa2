"""The loop through a real browser: photo, list, tick, after photo; the board turns green.

Reported as not run (skipped, with the reason) where chromium or the built pages are missing.
"""

import io
import os
import re
import shutil
import signal
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image

from edge.answers import JUDGED_PHOTO_JSON
from edge.disk import FILE_NAME
from storepulse.demo.children import Children, end, run_to_end, wait_until
from storepulse.demo.requests import get_json
from storepulse.demo.services import (
    PROGRAM,
    Server,
    free_port,
    start_broker,
    start_hub,
    start_node,
    wait_for_eyes,
    wait_for_link,
)
from storepulse.demo.shelf import photo_of, plan_of, second_exposure
from storepulse.pages import pages_folder
from storepulse.topics import Address
from vision.look import Looker

sync_api = pytest.importorskip("playwright.sync_api", reason="not run: playwright is not installed")

CHROMIUM: Final = Path("/usr/bin/chromium")
HOUSE: Final = Path(__file__).parents[2]
AXE: Final = HOUSE / "dashboards" / "node_modules" / "axe-core" / "axe.min.js"
SHOP: Final = "shop-1"
BAY: Final = "bay-1"
PHONE: Final = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}
DESK: Final = {"viewport": {"width": 1440, "height": 900}}
TAGS: Final = {"en": "en", "zh": "zh-CN"}
LIMIT_MS: Final = 30_000
FRESH_S_MAX: Final = 2.0
"""From the fact's arrival at the hub to its colour in the manager's browser."""
FIRST_LOAD_BYTES_MAX: Final = 100_000
PHOTOS_OFFLINE: Final = 20
TAPS_OFFLINE: Final = 50

pytestmark = [
    pytest.mark.journey,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="not run: chromium is not installed"),
    pytest.mark.skipif(
        not (pages_folder() / "clerk.html").exists(),
        reason="not run: the pages are not built (make pages)",
    ),
]


def words(key: str, language: str, **filling: object) -> str:
    """The words of the catalogue, as the page shows them."""
    catalogue = (HOUSE / "dashboards" / "src" / "messages.ts").read_text(encoding="utf-8")
    found = re.search(rf"'{re.escape(key)}': \{{ en: '(.*)', zh: '(.*)' \}}", catalogue)
    assert found, key
    return found[1 if language == "en" else 2].format(**filling)


def test_the_first_load_of_the_clerks_page_is_small() -> None:
    page = pages_folder() / "clerk.html"
    loaded = re.findall(r"(?:src|href)=\"/(assets/[^\"]+)\"", page.read_text(encoding="utf-8"))
    assert loaded
    packed = [pages_folder() / f"{name}.gz" for name in loaded]
    size = page.stat().st_size + sum(file.stat().st_size for file in packed)
    assert size <= FIRST_LOAD_BYTES_MAX


@dataclass(slots=True)
class World:
    """A hub and one node with a planogram, and two photos of its shelf."""

    children: Children
    hub: Server
    node: Server
    well: Path
    """The shelf as planned."""
    poor: Path
    """The same with three main-push facings gone."""

    def stop_node(self) -> None:
        end(self.node.child)

    def start_node_again(self) -> None:
        self.node.child = self.children.start_again(self.node.child)
        wait_until(
            self.node.child.first_words, what="the node", limit_s=60, needs=[self.node.child]
        )


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that root's lower user, the database's, can reach, too."""
    made = Path(tempfile.mkdtemp(prefix="storepulse-test-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def world(folder: Path) -> Iterator[World]:
    address = Address("chain", SHOP, "node-1")
    photo = photo_of(None, folder, seed=7)
    looked = plan_of(photo, None, folder, bay=BAY, now=datetime.now(UTC), looker=Looker())
    poor, _ = second_exposure(looked, folder, seed=7)
    with Children(folder / "logs") as children:
        broker = start_broker(children, folder / "broker")
        hub = start_hub(children, chain="chain", broker=broker, database=folder / "hub")
        shops = folder / "shops.csv"
        shops.write_text(
            "shop,name,region,format,latitude,longitude,timezone\n"
            f"{SHOP},Harbour,east,,,,UTC\nshop-2,Garden,west,,,,UTC\n"
        )
        where = ["--database", str(folder / "hub"), "--json"]
        run_to_end([*PROGRAM, "hub", "shops", "load", str(shops), *where], what="shops", limit_s=60)
        # A port that stays: a browser keeps things for an origin.
        node = start_node(
            children, address, data=folder / "node", broker=broker, planogram=looked.plan_file,
            port=free_port(),
        )  # fmt: skip
        wait_for_link(node)
        wait_for_eyes(node)
        yield World(children, hub, node, photo, poor)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Any]:
    with sync_api.sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Any) -> Iterator[Any]:
    opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
    yield opened
    opened.close()


def open_page(browser: Any, url: str, language: str, **shape: Any) -> Any:
    page = browser.new_context(locale=TAGS[language], **shape).new_page()
    page.set_default_timeout(LIMIT_MS)
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda said: said.type == "error" and page.faults.append(said.text))
    page.goto(url)
    return page


def serious_faults(page: Any) -> list[str]:
    """What axe-core finds serious or critical."""
    if not AXE.exists():
        pytest.skip("not run: axe-core is not installed (make pages)")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['nodes'][0]['html']}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def take_photo(page: Any, button: str, photo: Path) -> None:
    page.locator("label", has_text=button).locator("input").set_input_files(str(photo))


def cell(page: Any, colour: str) -> Any:
    return page.locator(f"tr[data-shop={SHOP}] td[data-dimension=goods][data-colour={colour}]")


@pytest.mark.parametrize(("clerk_speaks", "manager_speaks"), [("zh", "en"), ("en", "zh")])
def test_a_shelf_put_right_turns_goods_green_on_the_board(
    world: World, browser: Any, clerk_speaks: str, manager_speaks: str
) -> None:
    phone = open_page(browser, world.node.url, clerk_speaks, **PHONE)
    desk = open_page(browser, world.hub.url, manager_speaks, **DESK)
    assert phone.locator("html").get_attribute("lang") == TAGS[clerk_speaks]

    take_photo(phone, words("clerk.photo", clerk_speaks), world.poor)
    items = phone.locator("li[data-item]")
    items.first.wait_for()
    count = items.count()
    assert count >= 1
    assert phone.locator("button.badge").count() == count
    assert serious_faults(phone) == []
    photo = phone.url.rsplit("/", 1)[1]
    judged = get_json(f"{world.node.url}/api/photos/{photo}")
    JUDGED_PHOTO_JSON.validate_python(judged, strict=False)

    cell(desk, "red").wait_for()
    said = cell(desk, "red").locator("svg[role=img]").first.get_attribute("aria-label")
    assert words("sign.red", manager_speaks) in said
    assert serious_faults(desk) == []

    # The first is ticked by hand, through the sheet.
    items.first.locator("button.head").click()
    items.first.get_by_role("button", name=words("item.done", clerk_speaks)).click()
    phone.locator("li[data-item]").first.and_(phone.locator("[data-state=done]")).wait_for()
    url = f"{world.node.url}/api/checklists/{judged['checklist']['id']}"
    wait_until(
        lambda: get_json(url)["items"][0]["state"] == "done",
        what="the tick on the node",
        limit_s=20,
    )

    began = datetime.now(UTC)
    take_photo(phone, words("result.after", clerk_speaks), world.well)
    cell(desk, "green").wait_for()
    seen = time.time()
    facts = get_json(f"{world.hub.url}/api/facts?shop={SHOP}&metric=exposure_main_push")["facts"]
    arrived = datetime.fromisoformat(facts[-1]["received_at"])
    assert arrived > began
    assert seen - arrived.timestamp() < FRESH_S_MAX
    assert cell(desk, "green").locator("svg[role=img]").first.is_visible()
    # What the after photo shows as put right has ticked itself.
    wait_until(
        lambda: all(item["state"] == "done" for item in get_json(url)["items"]),
        what="the ticks of the after photo", limit_s=20,
    )  # fmt: skip
    phone.locator(".fixed").wait_for()

    # From red to the photo in three clicks: the shop, its evidence.
    desk.locator(f"tr[data-shop={SHOP}] th a").click()
    evidence = desk.locator("article[data-dimension=goods] .evidence a").first
    link = evidence.get_attribute("href")
    assert link == f"{world.node.url}/api/photos/{facts[-1]['id'].split(':')[0]}/annotated.jpg"
    assert serious_faults(desk) == []
    assert phone.faults == []
    assert desk.faults == []
    phone.context.close()
    desk.context.close()


def test_taps_count_give_tickets_and_are_taken_back(world: World, browser: Any) -> None:
    phone = open_page(browser, world.node.url, "en", **PHONE)
    counter = phone.locator("button[data-tap=reception] .count")
    phone.locator("button[data-tap=reception]").click()
    phone.locator("button[data-tap=experience]").click()
    status = phone.locator(".said")
    status.get_by_text(re.compile(r"Ticket \d{4}-[0-9A-Z]{5}")).wait_for()
    ticket = re.search(r"\d{4}-[0-9A-Z]{5}", status.inner_text())
    assert ticket
    phone.locator("button[data-tap=deal]").click()
    phone.locator("dialog").get_by_role("button", name=ticket[0]).click()
    status.get_by_text(words("tap.deal.ticket", "en", ticket=ticket[0])).wait_for()
    status.get_by_role("button").click()
    status.get_by_text(words("tap.undone", "en")).wait_for()
    assert phone.locator("button[data-tap=deal] .count").inner_text() == "0"
    assert counter.inner_text() == "1"
    phone.get_by_text(words("waiting.none", "en")).wait_for()
    assert serious_faults(phone) == []
    assert phone.faults == []
    phone.context.close()


def test_what_was_said_while_the_node_was_away_is_there_afterwards_each_once(
    world: World, playwright: Any, tmp_path: Path
) -> None:
    """20 photos and 50 taps without a node, the browser killed once in between."""
    small = tmp_path / "small.png"
    small.write_bytes(_small_picture())
    before = _counted(world)
    phone = _open_kept(playwright, tmp_path / "browser", world.node.url)
    phone.locator("label.big").wait_for()
    # The worker that keeps the page has it before the node goes.
    phone.wait_for_function(
        "async () => (await (await caches.open('storepulse-1')).keys()).length > 3"
    )
    world.stop_node()
    for _ in range(PHOTOS_OFFLINE):
        take_photo(phone, words("clerk.choose", "en"), small)
        phone.wait_for_url("**/#/photo/*")
        phone.get_by_role("link", name=words("clerk.home", "en")).click()
    for _ in range(TAPS_OFFLINE // 2):
        phone.locator("button[data-tap=reception]").click()
    waiting = PHOTOS_OFFLINE + TAPS_OFFLINE // 2
    phone.get_by_text(f": {waiting}.").wait_for()
    _kill(tmp_path / "browser")
    phone = _open_kept(playwright, tmp_path / "browser", world.node.url)
    phone.get_by_text(f": {waiting}.").wait_for()
    for _ in range(TAPS_OFFLINE - TAPS_OFFLINE // 2):
        phone.locator("button[data-tap=reception]").click()
    phone.get_by_text(f": {PHOTOS_OFFLINE + TAPS_OFFLINE}.").wait_for()
    world.start_node_again()
    phone.get_by_text(words("waiting.none", "en")).wait_for(timeout=120_000)
    phone.context.close()
    after = _counted(world)
    assert after["photos"] - before["photos"] == PHOTOS_OFFLINE
    assert after["receptions"] - before["receptions"] == TAPS_OFFLINE


def _open_kept(playwright: Any, folder: Path, url: str) -> Any:
    context = playwright.chromium.launch_persistent_context(
        str(folder), executable_path=str(CHROMIUM), args=["--no-sandbox"], locale="en", **PHONE
    )
    page = context.pages[0]
    page.set_default_timeout(LIMIT_MS)
    page.goto(url)
    return page


def _kill(folder: Path) -> None:
    """As when the phone's battery is taken out: SIGKILL to the browser of this folder."""
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            argv = each.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if f"--user-data-dir={folder}" in argv and not any(a.startswith("--type=") for a in argv):
            os.kill(int(each.parent.name), signal.SIGKILL)


def _counted(world: World) -> dict[str, int]:
    """Photos and receptions as the node's own file holds them."""
    argv = world.node.child.argv
    file = Path(argv[argv.index("--data") + 1]) / FILE_NAME
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        return {
            "photos": db.execute("select count(*) from photos").fetchone()[0],
            "receptions": db.execute(
                "select count(*) from taps where kind = 'reception'"
            ).fetchone()[0],
        }


def _small_picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (80, 60), (200, 180, 160)).save(buffer, "PNG")
    return buffer.getvalue()
