"""How fast the board of many shops is: first rows, frames while it scrolls, a change on the screen.

`python -m tests.dashboards.measure_board --shops 10000 --runs 5` prints one JSON object. Hub and
browser share the machine, so what is measured is the page, and not a network. The hub's answers
are made before and sent as they are: how long the hub itself takes is another measurement.
"""

import argparse
import json
import os
import platform
import statistics
import sys
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query
from playwright.sync_api import Page, sync_playwright
from pydantic import TypeAdapter
from starlette.responses import Response

from hub.codes.columns import BoardColumns
from hub.codes.history import History
from storepulse.pages import page_routes
from tests.dashboards.fake_hub import (
    DAY,
    DAYS_SHOWN,
    FakeHub,
    board_rows,
    history_of,
    two_weeks,
)
from tests.dashboards.fake_shop import columns_of
from tests.dashboards.served import served

FRAMES: Final = 240
_TASKS: Final = ("RunTask", "ThreadControllerImpl::RunTask")
_FIRST_ROWS: Final = """() => new Promise((resolve) => {
  const began = performance.timeOrigin
  const look = () => {
    if (document.querySelectorAll('tr[data-shop]').length < 20) return requestAnimationFrame(look)
    // The frame in which they are seen is the one after.
    requestAnimationFrame(() => resolve(performance.timeOrigin - began + performance.now()))
  }
  look()
})"""
_SCROLL: Final = """(frames) => new Promise((resolve) => {
  const box = document.querySelector('.table')
  const deltas = []
  let before = performance.now(), left = frames, jump = 0
  const step = (now) => {
    deltas.push(now - before)
    before = now
    // As a hand does it: 120 px a frame, and a page now and then.
    jump += 1
    box.scrollTop += jump % 40 === 0 ? box.clientHeight * 8 : 120
    if ((left -= 1) > 0) requestAnimationFrame(step)
    else resolve(deltas.slice(1))
  }
  requestAnimationFrame(step)
})"""


def many(shops: int) -> FastAPI:
    """The fake hub with answers for so many shops, made beforehand."""
    codes = two_weeks()
    rows = board_rows(shops, codes[DAY])
    whole = TypeAdapter(list[Any]).dump_json(rows)
    columns = TypeAdapter(BoardColumns).dump_json(columns_of(rows))
    days = {one.shop: one for one in history_of(shops, DAYS_SHOWN, codes).shops}
    app = FastAPI()
    app.include_router(page_routes("board.html"))

    @app.get("/api/board/columns")
    def all_columns() -> Response:
        return Response(columns, media_type="application/json")

    @app.get("/api/history")
    def history(shop: Annotated[list[str], Query()]) -> History:
        return History(days=tuple(DAYS_SHOWN), shops=tuple(days[one] for one in shop))

    @app.get("/api/board")
    def board(limit: int | None = None) -> Response:
        body = whole if limit is None else TypeAdapter(list[Any]).dump_json(rows[:limit])
        return Response(body, media_type="application/json")

    app.mount("/", FakeHub(shops=20).app())
    return app


def measured(page: Page, url: str) -> dict[str, Any]:
    """One visit: milliseconds until rows are seen, and of each frame of a scroll."""
    page.goto(url, wait_until="commit")
    first_ms = page.evaluate(_FIRST_ROWS)
    page.wait_for_selector("td[data-dimension=own] svg[width='70']")
    browser = page.context.browser
    assert browser is not None
    browser.start_tracing(page=page, categories=["toplevel", "devtools.timeline", "__metadata"])
    frames = page.evaluate(_SCROLL, FRAMES)
    tasks = _main_thread_ms(json.loads(browser.stop_tracing()))
    return {"first_rows_ms": first_ms, "frames_ms": frames, "tasks_cpu_ms": tasks}


def _main_thread_ms(trace: dict[str, Any]) -> list[float]:
    """Processor time of each task of the page's own thread: others' is not in it."""
    events = trace["traceEvents"]
    pages = {
        (one["pid"], one["tid"])
        for one in events
        if one.get("name") == "thread_name" and one["args"].get("name") == "CrRendererMain"
    }
    return [
        one["tdur"] / 1000
        for one in events
        if one.get("tdur") and one["name"] in _TASKS and (one["pid"], one["tid"]) in pages
    ]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shops", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    load = os.getloadavg()
    found = []
    with served(many(given.shops)) as url, sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        for _ in range(given.runs):
            context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en")
            found.append(measured(context.new_page(), url))
            context.close()
        browser.close()
    frames = sorted(one for run in found for one in run["frames_ms"])
    tasks = sorted((one for run in found for one in run["tasks_cpu_ms"]), reverse=True)
    told = {
        "shops": given.shops,
        "runs": given.runs,
        "first_rows_ms": [round(run["first_rows_ms"]) for run in found],
        "first_rows_ms_median": round(statistics.median(run["first_rows_ms"] for run in found)),
        "frames": len(frames),
        "frame_ms_p50": round(frames[len(frames) // 2], 1),
        "frame_ms_p95": round(frames[int(len(frames) * 0.95)], 1),
        "frame_ms_max": round(frames[-1], 1),
        "frames_over_50_ms": sum(one > 50 for one in frames),
        "tasks": len(tasks),
        "task_cpu_ms_max": round(tasks[0], 1) if tasks else None,
        "tasks_cpu_over_50_ms": sum(one > 50 for one in tasks),
        "cpu_ms_per_frame": round(sum(tasks) / max(1, len(frames)), 1),
        "cores": os.cpu_count(),
        "machine": platform.processor() or platform.machine(),
        "load_before_1_5_15_min": [round(one, 2) for one in load],
        "load_after": [round(one, 2) for one in os.getloadavg()],
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
