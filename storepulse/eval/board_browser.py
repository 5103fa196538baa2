"""A browser on a hub's board: when rows are seen, what each frame of a scroll costs (Chromium).

Processor time is that of the page's own thread, whatever else runs on the machine; waiting times
are as somebody before the screen would have them, and say something on a quiet machine only.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from storepulse.errors import BadInput, StorepulseError
from storepulse.pages import pages_folder

CHROMIUM: Final = Path("/usr/bin/chromium")
SCREEN: Final = {"width": 1440, "height": 900}
_PATIENCE_MS: Final = 300_000
_ROWS: Final = 20
"""So many rows are a first screen that one can begin to read."""
_WHEEL_PX_S: Final = 8000
"""As fast as a hand turns a wheel: half a screen in a tick of it."""
_ENDS_MS: Final = 1000
_TASKS: Final = ("ThreadControllerImpl::RunTask", "RunTask")
"""What a task is called in a trace; where both are there, the one holds the other."""
_FIRST_ROWS: Final = """(rows) => new Promise((resolve) => {
  const look = () => {
    if (document.querySelectorAll('tr[data-shop]').length < rows) return requestAnimationFrame(look)
    // The frame in which they are seen is the one after.
    requestAnimationFrame(() => resolve(performance.now()))
  }
  look()
})"""
_WATCH_FRAMES: Final = """() => {
  const frames = (window.frames_ms = [])
  let before = performance.now()
  const step = (now) => {
    frames.push(now - before)
    before = now
    window.watching = requestAnimationFrame(step)
  }
  window.watching = requestAnimationFrame(step)
}"""
_FRAMES: Final = "() => { cancelAnimationFrame(window.watching); return window.frames_ms.slice(1) }"
_EMPTY: Final = """<!doctype html><style>
  body { margin: 0 }
  .table { height: 850px; overflow: auto; background: #fff }
  .table div { height: %dpx; background: repeating-linear-gradient(#fff 0 17px, #ccc 17px 18px) }
</style><div class="table"><div></div></div>"""
_SEEN: Final = """([shop, dimension, colour, limit]) => new Promise((resolve) => {
  const until = Date.now() + limit
  const there = () => document.querySelector(
    `tr[data-shop="${shop}"] td[data-dimension="${dimension}"][data-colour="${colour}"]`)
  const look = () => there() ? requestAnimationFrame(() => resolve(Date.now()))
    : Date.now() > until ? resolve(null) : requestAnimationFrame(look)
  look()
})"""
_IN_SIGHT: Final = """([dimension, not]) => [...document.querySelectorAll('tr[data-shop]')]
  .filter((row) => { const { top, bottom } = row.getBoundingClientRect()
    return top > 0 && bottom < innerHeight })
  .filter((row) => {
    const one = row.querySelector(`td[data-dimension="${dimension}"]`)?.dataset.colour
    return one && one !== not
  })
  .map((row) => row.dataset.shop)"""


class NotSeen(StorepulseError):
    """A change that never came to the screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrolled:
    """One way through the whole list."""

    frames_ms: tuple[float, ...]
    """From one frame to the next."""
    tasks_cpu_ms: tuple[float, ...]
    """Processor time of each task of the page's thread."""
    rows: int
    """The last row that was drawn when it ended, counted from 1."""


class BoardBrowser:
    """Chromium, signed in at a hub by a session's secret. Made by `board_browser`."""

    def __init__(self, browser: Any, url: str, token: str) -> None:
        self._browser, self._url, self._token = browser, url, token

    @contextmanager
    def open_board(self) -> Iterator["OpenBoard"]:
        """The board in a browser that was never here, as long as the block runs."""
        context = self._browser.new_context(viewport=SCREEN, locale="en")
        context.add_cookies([{"name": "storepulse", "value": self._token, "url": self._url}])
        page = context.new_page()
        page.set_default_timeout(_PATIENCE_MS)
        # Processor time instead of time on the wall.
        page.context.new_cdp_session(page).send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(self._url, wait_until="commit")
        try:
            yield OpenBoard(self._browser, page)
        finally:
            context.close()


class OpenBoard:
    """One open board."""

    def __init__(self, browser: Any, page: Any) -> None:
        self._browser, self._page = browser, page

    def cpu_ms(self) -> float:
        """Processor time of the page's own thread so far."""
        cdp = self._page.context.new_cdp_session(self._page)
        cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
        told = {one["name"]: one["value"] for one in cdp.send("Performance.getMetrics")["metrics"]}
        return 1000 * float(told["TaskDuration"])

    def first_rows_ms(self) -> float:
        """From the start of the navigation until the first screen of rows is painted."""
        found: float = self._page.evaluate(_FIRST_ROWS, _ROWS)
        return found

    def whole(self, shops: int) -> None:
        """Wait until all shops are there, with the days of those in sight, and the page is live."""
        self._page.wait_for_selector(f"table[aria-rowcount='{shops + 1}']")
        self._page.wait_for_selector(".live.on")
        self._page.wait_for_selector("td[data-dimension=own] .own + svg path:not([d=''])")

    def by_wheel(self) -> Scrolled:
        """Through the whole list by the wheel."""
        frames, tasks = self._watched(self._wheel)
        return Scrolled(frames_ms=frames, tasks_cpu_ms=tasks, rows=self._last_row())

    def empty_by_wheel(self) -> Scrolled:
        """The same way over a page of the same height that shows stripes and runs no code.

        What is late there is late by the machine and the browser, whatever a page does.
        """
        high = self._page.evaluate("document.querySelector('.table').scrollHeight")
        # Away from the hub's page first, whose rules on styles would hold for this one.
        self._page.goto("about:blank")
        self._page.set_content(_EMPTY % high)
        frames, tasks = self._watched(self._wheel)
        return Scrolled(frames_ms=frames, tasks_cpu_ms=tasks, rows=0)

    def _wheel(self) -> None:
        box = self._page.locator(".table").bounding_box()
        high = self._page.evaluate("document.querySelector('.table').scrollHeight")
        self._page.context.new_cdp_session(self._page).send(
            "Input.synthesizeScrollGesture",
            {
                "x": box["x"] + 400, "y": box["y"] + 200, "yDistance": -high,
                "speed": _WHEEL_PX_S, "gestureSourceType": "mouse",
            },
        )  # fmt: skip

    def by_keyboard(self) -> Scrolled:
        """Through the whole list by the key Page Down, after Home; then End and Home again."""
        self._page.locator(".table").focus()
        self._page.keyboard.press("Home")
        self._page.wait_for_selector("tr[aria-rowindex='2']", state="attached")
        pages = self._page.evaluate(
            "(() => { const box = document.querySelector('.table');"
            " return Math.ceil(box.scrollHeight / (box.clientHeight * 0.8)) })()"
        )

        def press() -> None:
            for _ in range(pages):
                self._page.keyboard.press("PageDown")
            for key in ("Home", "End"):
                self._page.keyboard.press(key)
            last = self._page.locator("table").get_attribute("aria-rowcount")
            self._page.wait_for_selector(f"tr[aria-rowindex='{last}']", state="attached")

        frames, tasks = self._watched(press)
        return Scrolled(frames_ms=frames, tasks_cpu_ms=tasks, rows=self._last_row())

    def _watched(self, scroll: Callable[[], None]) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Milliseconds from frame to frame, and of processor time of each task of the page."""
        self._browser.start_tracing(page=self._page, categories=["toplevel", "__metadata"])
        self._page.evaluate(_WATCH_FRAMES)
        scroll()
        # What is drawn where a scroll ends belongs to it; that a trace is read out does not.
        self._page.wait_for_timeout(_ENDS_MS)
        frames = self._page.evaluate(_FRAMES)
        tasks = _page_tasks_cpu_ms(json.loads(self._browser.stop_tracing()))
        return tuple(frames), tuple(tasks)

    def _last_row(self) -> int:
        last = self._page.locator("tr[data-shop]").last.get_attribute("aria-rowindex")
        return int(last or 1) - 1

    def to_top(self) -> None:
        """Back to the first row."""
        self._page.evaluate("document.querySelector('.table').scrollTo(0, 0)")
        self._page.wait_for_selector("tr[aria-rowindex='2']", state="attached")

    def shops_in_sight(self, dimension: str, *, other_than: str) -> list[str]:
        """The shops whose sign of a dimension is seen and has another colour."""
        found: list[str] = self._page.evaluate(_IN_SIGHT, [dimension, other_than])
        return found

    def seen_at_s(self, shop: str, dimension: str, colour: str) -> float:
        """Wait until a shop's sign has a colour; gives the time of that frame, of the epoch.

        Raises:
            NotSeen: it did not within five minutes.
        """
        seen = self._page.evaluate(_SEEN, [shop, dimension, colour, _PATIENCE_MS])
        if seen is None:
            raise NotSeen(f"{dimension} of {shop} did not turn {colour} on the board")
        return float(seen) / 1000


def _page_tasks_cpu_ms(trace: dict[str, Any]) -> list[float]:
    """Processor time of each task of the page's own thread: others' is not in it."""
    events = trace["traceEvents"]
    pages = {
        (one["pid"], one["tid"])
        for one in events
        if one.get("name") == "thread_name" and one["args"].get("name") == "CrRendererMain"
    }
    for name in _TASKS:
        told = [
            one["tdur"] / 1000
            for one in events
            if one.get("tdur") and one["name"] == name and (one["pid"], one["tid"]) in pages
        ]
        if told:
            return told
    return []


@contextmanager
def board_browser(url: str, token: str) -> Iterator[BoardBrowser]:
    """Start headless Chromium as long as the block runs.

    Raises:
        BadInput: the pages are not built, or there is no Chromium or playwright.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError as error:
        raise BadInput(
            "`storepulse eval board` needs playwright: pip install 'storepulse[dev]'"
        ) from error
    if not CHROMIUM.exists():
        raise BadInput(
            f"`storepulse eval board` needs Chromium at {CHROMIUM}: apt install chromium"
        )
    if not (pages_folder() / "board.html").exists():
        raise BadInput(
            "`storepulse eval board` measures the built pages, and they are not built on this "
            "machine: run `make pages`"
        )
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        try:
            yield BoardBrowser(browser, url, token)
        finally:
            browser.close()
