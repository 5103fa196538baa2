"""What a clerk does while node and hub are down, the browser being killed: at the hub, each once.

Photos and taps are queued in a real browser, which is killed with -9 twice in between, as node and
hub were; then all start again and the hub's own database is counted.
"""

import io
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from PIL import Image

from edge.lock import SECURE_COOKIE
from hub.store.database import open_database
from storepulse.demo.children import wait_until
from storepulse.demo.services import wait_for_empty_outbox
from storepulse.eval.shop_world import (
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

KILLS: Final = 2
SHELVES: Final = 2
"""So many of the photos show a shelf; the judge refuses the others, which are kept all the same."""
_SENT_MS_MAX: Final = 400_000
_PICTURES: Final = 2
"""Of each photo at the hub: itself, and with its marks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineReport:
    """How much was said, and what the hub has of it."""

    photos: int
    taps: int
    kills: int
    judged: int
    refused: int
    receptions: int
    pictures: int
    faults: tuple[str, ...]
    """What went wrong in the page, other than that the node was away."""
    queued_s: float
    sent_s: float

    @property
    def ok(self) -> bool:
        """All there, each once."""
        return (self.judged, self.refused, self.receptions, self.pictures, self.faults) == (
            SHELVES, self.photos - SHELVES, self.taps, _PICTURES * self.photos, (),
        )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"ok": self.ok}

    def in_words(self) -> str:
        """One line."""
        return (
            f"{self.photos} photos and {self.taps} taps queued in {self.queued_s:.0f} s, the "
            f"browser killed {self.kills} times, node and hub once; sent in {self.sent_s:.0f} s. "
            f"At the hub: {self.judged + self.refused} photos with {self.pictures} pictures, "
            f"{self.receptions} receptions: {'each once' if self.ok else 'NOT each once'}"
        )


def offline_campaign(
    world: World, playwright: Any, folder: Path, *, photos: int, taps: int,
    tell: Callable[[str], None],
) -> OfflineReport:  # fmt: skip
    """Queue, kill, start again, count.

    Args:
        folder: for the browser's profile and the photos.
        photos: at least `SHELVES`; spread over the parts between the kills, as the taps are.
        tell: is told each step.
    """
    small = folder / "small.png"
    small.write_bytes(_small_picture())
    before, profile = _at_hub(world), folder / "browser"
    phone = _open(world, playwright, profile, world.pairing_link())
    pair(phone, "en")
    # The worker that keeps the page has it before the node goes.
    phone.wait_for_function(
        "async () => (await navigator.serviceWorker.ready).active?.state === 'activated'"
    )
    # A browser writes cookies down every half minute: one that is killed before has to pair again,
    # which is another story.
    wait_until(lambda: _keeps_cookie(profile), what="the cookie on the browser's disk", limit_s=90)
    world.kill_hub_and_node()
    began = time.monotonic()
    taken = tapped = 0
    for part in range(1, KILLS + 2):
        while taken < photos * part // (KILLS + 1):
            _queue_photo(phone, world.poor if taken < SHELVES else small)
            taken += 1
        while tapped < taps * part // (KILLS + 1):
            phone.locator("button[data-tap=reception]").click()
            tapped += 1
        phone.get_by_text(f": {taken + tapped}.").wait_for()
        tell(f"{taken} photos and {tapped} taps wait on the phone")
        if part <= KILLS:
            kill_browser(profile)
            phone = _open(world, playwright, profile, world.node.url)
            phone.get_by_text(f": {taken + tapped}.").wait_for()
            tell("the browser was killed; all of it waits still")
    queued_s = time.monotonic() - began
    world.start_again()
    began = time.monotonic()
    phone.get_by_text(words("waiting.none", "en")).wait_for(timeout=_SENT_MS_MAX)
    sent_s = time.monotonic() - began
    faults = tuple(one for one in phone.faults if "net::ERR_" not in one)
    phone.context.close()
    wait_for_empty_outbox(world.node, limit_s=240)

    def came() -> dict[str, int]:
        now = _at_hub(world)
        return {name: now[name] - before[name] for name in now}

    # The pictures follow their facts.
    wait_until(
        lambda: came()["pictures"] >= _PICTURES * photos, what="the pictures at the hub",
        limit_s=240, needs=[world.node.child, world.hub.child],
    )  # fmt: skip
    return OfflineReport(
        photos=photos, taps=taps, kills=KILLS, faults=faults, queued_s=queued_s, sent_s=sent_s,
        **came(),
    )  # fmt: skip


def _queue_photo(phone: Any, photo: Path) -> None:
    take_photo(phone, words("clerk.choose", "en"), photo)
    phone.get_by_role("link", name=words("clerk.home", "en")).click()
    phone.locator("button[data-tap=reception]").wait_for()


def _keeps_cookie(browser: Path) -> bool:
    """Whether the browser would still be paired if it were killed now."""
    for file in browser.rglob("Cookies"):
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as kept:
            try:
                ask = "select 1 from cookies where name = ?"
                return bool(kept.execute(ask, (SECURE_COOKIE,)).fetchone())
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
        found = {name: connection.execute(ask, [SHOP]).fetchone() for name, ask in asked.items()}
    return {name: row["n"] for name, row in found.items() if row is not None}


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
