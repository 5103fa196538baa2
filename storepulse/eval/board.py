"""Measure the board of a large chain on a real hub: first rows, scrolling, a change on the screen.

Shops, two weeks of their codes and two days of facts are drawn into a database of their own; a hub
with broker, ingest and scheduler is started over it by its own command, and headless Chromium opens
its board. A change is a fact that is published as a shop's node would; the time is taken from then
until the frame in which its sign has the new colour. All of it shares the machine.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4
from zoneinfo import ZoneInfo

import aiomqtt
import numpy as np

from hub.bench.board import fill, head_office
from hub.bench.cpu import cpu_s, family_cpu_s
from hub.bench.drawn import drawn_facts, drawn_shop
from hub.store.database import open_database
from storepulse.demo.children import Child, Children, wait_until
from storepulse.demo.services import Broker, start_broker, start_hub
from storepulse.errors import BadInput
from storepulse.eval.board_browser import BoardBrowser, OpenBoard, Scrolled, board_browser
from storepulse.eval.figures import Figure, Report
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import ROUNDS, drawn_anew, interval_of
from storepulse.facts import Fact
from storepulse.free_ports import free_port
from storepulse.topics import Address
from storepulse.wire import Clock, Key, Message, encode_batch

CHAIN: Final = "bench"
LATE_MS: Final = 50.0
"""A frame that takes longer is seen as a jerk."""
_SETTLES_S_MAX: Final = 1800.0
_RESTS_BELOW: Final = 0.2
"""Of a processor: what a hub needs that has nothing to compute."""
_QUIET: Final = timedelta(seconds=30)
_DIMENSION: Final = "goods"
_WARM: Final = 3
"""So many changes are shown before those that count: plans and caches are of the first."""


class TooFewShops(BadInput):
    """No screen can be filled with them."""


def measure_board(*, shops: int, loads: int, changes: int, steps: Steps) -> Report:
    """Fill a database, start a hub over it, look at its board, and take all of it away again.

    Args:
        shops: at least 200, so that there is something to scroll through.
        loads: how often the board is opened anew.
        changes: how many facts are told.
    """
    if shops < 200:
        raise TooFewShops(f"a board of {shops} shops needs no measure: ask for 200 or more")
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="storepulse-bench-") as folder:
        Path(folder).chmod(0o711)  # root's lower user must reach the database in it
        place = Path(folder) / "hub"
        today = datetime.now(ZoneInfo(drawn_shop(0).timezone)).date()
        with open_database(str(place)) as opened:
            with opened.connection() as connection:
                fill(connection, shops, last=today)
            token = head_office(opened)
        with Children(Path(folder) / "logs") as children:
            broker = start_broker(children, Path(folder) / "broker", port=free_port())
            hub = start_hub(children, chain=CHAIN, broker=broker, database=place)
            began = time.monotonic()
            _let_settle(hub.child, place)
            settled_s = time.monotonic() - began
            with board_browser(hub.url, token) as browser:
                first, first_cpu = _first_rows(browser, loads, steps)
                wheel, keys, empty = _scrolls(browser, shops)
                news = _news(browser, broker, today, changes, steps)
    figures = [
        *times("first rows", first), *times("first rows, processor time", first_cpu),
        *scroll_figures("wheel", wheel),
        *scroll_figures("wheel, empty page", empty),
        *scroll_figures("keyboard", keys), *times("fact to screen", news),
        Figure(name="hub settled after its start", value=round(settled_s, 1), unit="s", n=1),
    ]  # fmt: skip
    return Report(
        measure="board", settings={"shops": shops, "loads": loads, "changes": changes},
        figures=tuple(figures),
        notes=(
            f"load of the machine {load:.1f} before and {os.getloadavg()[0]:.1f} after, "
            f"{os.cpu_count()} processors; hub, database, broker and browser share them",
            f"rows reached: {wheel.rows} by wheel, {keys.rows} by keyboard",
        ),
    )  # fmt: skip


def _let_settle(hub: Child, place: Path) -> None:
    """Until a hub that has just begun has computed each shop's today, and rests.

    That it uses no processor says little where others take it: nothing may have been stored for a
    while, either, and what the first day calls for must have been pushed.
    """
    with open_database(str(place)) as opened:

        def rests() -> bool:
            before = _hub_cpu_s(hub)
            time.sleep(3)
            used = _hub_cpu_s(hub) - before
            with opened.connection() as connection:
                row = connection.execute(
                    "select greatest((select max(computed_at) from codes),"
                    " (select max(created_at) from actions)) as newest,"
                    " exists (select from actions) as pushed"
                ).fetchone()
            assert row is not None
            quiet = datetime.now(UTC) - row["newest"] > _QUIET
            return used < 3 * _RESTS_BELOW and row["pushed"] and quiet

        wait_until(rests, what="a hub at rest", limit_s=_SETTLES_S_MAX, needs=[hub])


def _hub_cpu_s(hub: Child) -> float:
    return cpu_s(hub.process.pid) + family_cpu_s(hub.process.pid)


def _first_rows(browser: BoardBrowser, loads: int, steps: Steps) -> tuple[list[float], list[float]]:
    """Milliseconds until rows are seen, and of processor time of the page's thread until then."""
    seen, used = [], []
    for _ in steps(range(loads), "boards opened"):
        with browser.open_board() as board:
            seen.append(board.first_rows_ms())
            used.append(board.cpu_ms())
    return seen, used


def _scrolls(browser: BoardBrowser, shops: int) -> tuple[Scrolled, Scrolled, Scrolled]:
    """By wheel, by keyboard, and by wheel over nothing: what the machine can do at all."""
    with browser.open_board() as board:
        board.whole(shops)
        wheel = board.by_wheel()
        board.to_top()
        return wheel, board.by_keyboard(), board.empty_by_wheel()


def _news(
    browser: BoardBrowser, broker: Broker, today: date, changes: int, steps: Steps
) -> list[float]:
    """Milliseconds from a fact's publication to its sign on the screen, one after the other."""
    found: list[float] = []
    with browser.open_board() as board:
        board.first_rows_ms()
        for number in steps(range(changes + _WARM), "facts told"):
            taken = _one_change(board, broker, today, number)
            if number >= _WARM:
                found.append(taken)
    return found


def _one_change(board: OpenBoard, broker: Broker, today: date, number: int) -> float:
    # Red where it is not yet; all in sight being red, one of them is put right.
    share, colour = 0.05, "red"
    shops = board.shops_in_sight(_DIMENSION, other_than=colour)
    if not shops:
        share, colour = 0.99, "green"
        shops = board.shops_in_sight(_DIMENSION, other_than=colour)
    shop = shops[number % len(shops)]
    fact = correction(shop, today, share, version=number + 2)
    # In a thread of its own: playwright's loop runs in this one.
    with ThreadPoolExecutor(1) as other:
        told_at = other.submit(asyncio.run, _publish(broker, fact)).result()
    return 1000 * (board.seen_at_s(shop, _DIMENSION, colour) - told_at)


def correction(shop: str, today: date, share: float, version: int) -> Fact:
    """Another word on a photo of today, of a bay so large that others weigh nothing beside it."""
    drawn = next(one for one in drawn_facts(_number_of(shop), today, 1) if one.dims)
    return replace(
        drawn, id=f"{drawn.id}~{version}", value=share, low=share - 0.005, high=share + 0.005,
        n=1_000_000,
    )  # fmt: skip


def _number_of(shop: str) -> int:
    return int(shop.rpartition("-")[2])


def _node_of(shop: str) -> Address:
    return Address(CHAIN, shop, "n1")


async def _publish(broker: Broker, fact: Fact) -> float:
    """Tell the hub a fact as a node does; gives the moment before it left."""
    node = _node_of(fact.shop)
    message = Message(
        key=Key(node=node.node, epoch=str(uuid4()), number=1), said_at=datetime.now(UTC),
        clock=Clock(boot="bench", monotonic_s=time.monotonic(), synchronised=True), body=fact,
    )  # fmt: skip
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        told_at = time.time()
        await client.publish(node.topic("up/facts"), encode_batch(node, [message]), qos=1)
    return told_at


def times(name: str, ms: Sequence[float]) -> list[Figure]:
    """Median and 95th percentile, each with the interval of the bootstrap."""

    def p95(some: Sequence[float]) -> float:
        return float(np.quantile(some, 0.95))

    again = list(drawn_anew(ms, seed=0, rounds=ROUNDS))
    found = []
    for what, of in (("median", statistics.median), ("p95", p95)):
        low, high = interval_of([of(one) for one in again])
        found.append(
            Figure(
                name=name, of=what, value=round(of(ms)), low=round(low), high=round(high),
                n=len(ms), unit="ms",
            )
        )  # fmt: skip
    return found


def scroll_figures(by: str, scrolled: Scrolled) -> list[Figure]:
    frames, tasks = np.array(scrolled.frames_ms), np.array(scrolled.tasks_cpu_ms)
    many = len(frames)
    told = [
        ("frame, median", float(np.median(frames)), "ms"),
        ("frame, p95", float(np.quantile(frames, 0.95)), "ms"),
        ("frame, longest", float(frames.max()), "ms"),
        (f"frames over {LATE_MS:g} ms", float((frames > LATE_MS).sum()), ""),
        ("processor time a frame", float(tasks.sum() / many), "ms"),
        ("processor time, longest task", float(tasks.max(initial=0)), "ms"),
        (f"tasks of over {LATE_MS:g} ms of processor time", float((tasks > LATE_MS).sum()), ""),
    ]
    return [
        Figure(name=name, of=by, value=round(value, 1), n=many, unit=unit)
        for name, value, unit in told
    ]
