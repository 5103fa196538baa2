"""What a clerk says while node and hub are down is at the hub afterwards, each once."""

import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image

from edge.lock import SECURE_COOKIE
from hub.store.database import open_database
from storepulse.demo.children import wait_until
from storepulse.demo.services import wait_for_empty_outbox
from tests.journeys.world import (
    CHROMIUM,
    PHONE,
    SHOP,
    World,
    kill_browser,
    pair,
    take_photo,
    watch,
    words,
)

PHOTOS: Final = 20
SHELVES: Final = 2
"""So many of the photos show a shelf; the judge refuses the others, which are kept all the same."""
TAPS: Final = 50
SENT_MS_MAX: Final = 240_000

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]


def test_photos_and_taps_from_a_day_without_node_and_hub_arrive_once(
    world: World, playwright: Any, tmp_path: Path
) -> None:
    """20 photos, 50 taps; hub and node killed with -9 before, the browser once in between."""
    small = tmp_path / "small.png"
    small.write_bytes(_small_picture())
    before = _at_hub(world)
    phone = _open(world, playwright, tmp_path / "browser", world.pairing_link())
    pair(phone, "en")
    # The worker that keeps the page has it before the node goes.
    phone.wait_for_function(
        "async () => (await navigator.serviceWorker.ready).active?.state === 'activated'"
    )
    world.kill_hub_and_node()
    for number in range(PHOTOS):
        photo = world.poor if number < SHELVES else small
        take_photo(phone, words("clerk.choose", "en"), photo)
        phone.wait_for_url("**/#/photo/*")
        phone.get_by_role("link", name=words("clerk.home", "en")).click()
    for _ in range(TAPS // 2):
        phone.locator("button[data-tap=reception]").click()
    waiting = PHOTOS + TAPS // 2
    phone.get_by_text(f": {waiting}.").wait_for()
    # A browser writes cookies down every half minute: one that is killed before has to pair again,
    # which is another story.
    wait_until(
        lambda: _keeps_cookie(tmp_path / "browser"), what="the cookie on the browser's disk",
        limit_s=90,
    )  # fmt: skip
    kill_browser(tmp_path / "browser")
    phone = _open(world, playwright, tmp_path / "browser", world.node.url)
    phone.get_by_text(f": {waiting}.").wait_for()
    for _ in range(TAPS - TAPS // 2):
        phone.locator("button[data-tap=reception]").click()
    phone.get_by_text(f": {PHOTOS + TAPS}.").wait_for()

    world.start_again()
    phone.get_by_text(words("waiting.none", "en")).wait_for(timeout=SENT_MS_MAX)
    phone.context.close()
    wait_for_empty_outbox(world.node, limit_s=120)
    wanted = {
        "refused": PHOTOS - SHELVES, "judged": SHELVES, "receptions": TAPS,
        "pictures": 2 * PHOTOS,
    }  # fmt: skip

    def came() -> dict[str, int]:
        now = _at_hub(world)
        return {name: now[name] - before[name] for name in wanted}

    # The pictures follow their facts.
    wait_until(
        lambda: came()["pictures"] >= 2 * PHOTOS, what="the pictures at the hub", limit_s=120,
        needs=[world.node.child, world.hub.child],
    )  # fmt: skip
    assert came() == wanted


def _keeps_cookie(browser: Path) -> bool:
    """Whether the browser would still be paired if it were killed now."""
    for file in browser.rglob("Cookies"):
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as kept:
            try:
                return bool(
                    kept.execute(
                        "select 1 from cookies where name = ?", (SECURE_COOKIE,)
                    ).fetchone()
                )
            except sqlite3.OperationalError:  # it is just being written
                return False
    return False


def _at_hub(world: World) -> dict[str, int]:
    """What the hub's own database holds of the shop."""
    asked = {
        "refused": "select count(*) as n from facts where shop = %s and metric = 'photos_refused'",
        "judged": "select count(*) as n from facts where shop = %s and metric = 'photos_judged'",
        "receptions": "select count(*) as n from receptions where shop = %s and undone is not true",
        "pictures": "select count(*) as n from blobs where shop = %s",
    }
    with open_database(str(world.database)) as database, database.connection() as connection:
        return {
            name: connection.execute(ask, [SHOP]).fetchone()["n"] for name, ask in asked.items()
        }


def _open(world: World, playwright: Any, folder: Path, url: str) -> Any:
    context = playwright.chromium.launch_persistent_context(
        str(folder), executable_path=str(CHROMIUM), args=world.browser_arguments, locale="en",
        **PHONE,
    )  # fmt: skip
    page = context.pages[0]
    watch(page)
    page.goto(url)
    return page


def _small_picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (80, 60), (200, 180, 160)).save(buffer, "PNG")
    return buffer.getvalue()
