"""How soon a fact that a node says is a changed colour on an open board.

A broker, a database with a drawn chain and the hub are processes of their own. A board is open: it
hears the server's events and asks again, as the page does. One node after the other says that its
shop's main-push products are gone (or back), and the clock runs from there until an answer to the
board shows the other colour. Other nodes may speak meanwhile, at a fixed rate.
"""

import asyncio
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import aiomqtt
import httpx
import numpy as np

from hub.bench.board import ApiNotReady, answers, fill, head_office, look_through
from hub.bench.codes import LAST, million_steps
from hub.bench.cpu import throw_away
from hub.bench.drawn import shop_name
from hub.bench.sender import CHAIN
from hub.brokers.broker import running_broker
from hub.store.database import open_database
from storepulse.facts import Fact
from storepulse.topics import Address
from storepulse.wire import Clock, Key, Message, encode_batch

_NOW: Final = datetime(LAST.year, LAST.month, LAST.day, 4, tzinfo=UTC)
"""Noon in the shops, on the last day that is drawn."""
_DAY_ENDS: Final = _NOW + timedelta(hours=12)
"""What is drawn says its word on bays up to then; a newer one takes its place."""
_READY_S_MAX: Final = 120.0
_SEEN_S_MAX: Final = 60.0
_BETWEEN_S: Final = (0.3, 1.3)
_SIZE: Final = 20
_BACKGROUND: Final = ("dwell_mean", "bounce_45s", "visitors", "occupancy")
_DRAWS: Final = 2000
_KEEPALIVE_S: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsBench:
    """What was measured, from the node's word to the board's answer."""

    shops: int
    facts: int
    background_facts_a_second: float
    """As they were sent, from other shops' nodes."""
    median_s: float
    p95_s: float
    p95_low_s: float
    p95_high_s: float
    """90 % interval, by drawing the times anew."""
    worst_s: float
    not_seen: int
    """Facts that no board had shown after 60 s; they count as 60 s."""
    million_steps_s: float
    load_before: float
    load_after: float


def bench_news(shops: int, facts: int, background: float) -> NewsBench:
    """Fill a database, run a hub on it, and watch a board."""
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="storepulse-bench-") as folder:
        Path(folder).chmod(0o711)  # root's lower user must reach the database in it
        place = str(Path(folder) / "hub")
        with open_database(place) as opened, running_broker(Path(folder) / "broker") as broker:
            with opened.connection() as connection:
                fill(connection, shops)
                # The codes are there: what was drawn touches none.
                connection.execute("delete from touched_days")
                connection.execute("delete from touched_figures")
            look_through(opened)
            token = head_office(opened)
            with _hub(place, broker.url) as url:
                watched = _Watch(url, token, broker.port, shops, facts, background)
                times, sent, took = asyncio.run(watched.run())
            throw_away(opened)
    seconds = np.array(times)
    rng = np.random.default_rng(11)
    drawn = np.quantile(rng.choice(seconds, (_DRAWS, len(seconds))), 0.95, axis=1)
    return NewsBench(
        shops=shops, facts=facts, background_facts_a_second=round(sent / took, 1),
        median_s=round(float(np.median(seconds)), 3),
        p95_s=round(float(np.quantile(seconds, 0.95)), 3),
        p95_low_s=round(float(np.quantile(drawn, 0.05)), 3),
        p95_high_s=round(float(np.quantile(drawn, 0.95)), 3),
        worst_s=round(float(seconds.max()), 3), not_seen=int((seconds >= _SEEN_S_MAX).sum()),
        million_steps_s=round(million_steps(), 4), load_before=round(before, 1),
        load_after=round(os.getloadavg()[0], 1),
    )  # fmt: skip


@contextmanager
def _hub(place: str, broker: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    child = subprocess.Popen(
        [sys.executable, "-m", "hub.bench.serve_news", place, str(port), broker, _NOW.isoformat()],
        stdin=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + _READY_S_MAX
        while not answers(url):
            if child.poll() is not None or time.monotonic() > until:
                raise ApiNotReady("the hub's process did not come up; see above")
            time.sleep(0.1)
        yield url
    finally:
        child.terminate()
        child.wait()


class _Watch:
    def __init__(
        self, url: str, token: str, broker_port: int, shops: int, facts: int, background: float
    ) -> None:
        self.url, self.token, self.broker_port = url, token, broker_port
        self.shops, self.facts, self.background = shops, facts, background
        self.changed = asyncio.Event()
        self.numbers: dict[str, int] = {}
        self.sent = 0
        self.rng = random.Random(11)  # noqa: S311 - nobody is kept out by it

    async def run(self) -> tuple[list[float], int, float]:
        """The seconds of each fact; the facts of the background, and over how long."""
        async with (
            aiomqtt.Client("127.0.0.1", self.broker_port, keepalive=_KEEPALIVE_S) as nodes,
            httpx.AsyncClient(
                base_url=self.url, cookies={"storepulse": self.token}, timeout=60
            ) as page,
            self._beside(self._hear(page), self._speak(nodes)),
        ):
            # The first one builds routes and plans, and makes the nodes known.
            await self._one(nodes, page, 0)
            began, before = time.perf_counter(), self.sent
            times = []
            for number in range(1, self.facts + 1):
                await asyncio.sleep(self.rng.uniform(*_BETWEEN_S))
                times.append(await self._one(nodes, page, number))
            return times, self.sent - before, time.perf_counter() - began

    @asynccontextmanager
    async def _beside(self, *works: Any) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(work) for work in works]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _hear(self, page: httpx.AsyncClient) -> None:
        async with page.stream("GET", "/api/events", timeout=None) as stream:
            async for line in stream.aiter_lines():
                if line == "event: changed":
                    self.changed.set()

    async def _one(self, nodes: aiomqtt.Client, page: httpx.AsyncClient, number: int) -> float:
        # Each time another shop; those that speak in the background are others.
        shop = shop_name(number * 2 % self.shops)
        gone = (await self._colour(page, shop)) != "red"
        value = 0.3 if gone else 0.97
        said = Fact(
            id=f"{shop}|news|{number}|{self.rng.random()}", shop=shop, metric="exposure_main_push",
            start=_NOW + timedelta(seconds=number), end=_DAY_ENDS, value=value, low=value - 0.02,
            high=value + 0.02, n=80,
            method="bench/1", source=f"/storepulse/{CHAIN}/{shop}/n1",
        )  # fmt: skip
        self.changed.clear()
        began = time.perf_counter()
        await nodes.publish(*self._batch(shop, [said]), qos=1)
        until = began + _SEEN_S_MAX
        while (left := until - time.perf_counter()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.changed.wait(), left)
            self.changed.clear()
            if ((await self._colour(page, shop)) == "red") == gone:
                return time.perf_counter() - began
        return _SEEN_S_MAX

    async def _colour(self, page: httpx.AsyncClient, shop: str) -> str:
        answer = await page.get("/api/board", params={"limit": 100, "called": shop})
        (row,) = (one for one in answer.json() if one["shop"] == shop)
        (colour,) = (one["colour"] for one in row["codes"] if one["dimension"] == "goods")
        return str(colour)

    async def _speak(self, nodes: aiomqtt.Client) -> None:
        if not self.background:
            return
        began, quarter = time.perf_counter(), 0
        while True:
            due = began + self.sent / self.background
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            shop = shop_name((self.rng.randrange(self.shops) | 1) % self.shops)
            quarter += 1
            said = [
                self._quarter(shop, metric, (quarter * 5 + n) % 48)
                for n in range(_SIZE // len(_BACKGROUND))
                for metric in _BACKGROUND
            ]
            await nodes.publish(*self._batch(shop, said), qos=0)
            self.sent += len(said)

    def _quarter(self, shop: str, metric: str, quarter: int) -> Fact:
        start = _NOW - timedelta(minutes=15 * (quarter + 1))
        value = self.rng.uniform(0.2, 0.8)
        return Fact(
            id=f"{shop}|{metric}|{self.rng.random()}", shop=shop, metric=metric, start=start,
            end=start + timedelta(minutes=15), value=value, low=value - 0.1, high=value + 0.1, n=9,
            method="bench.quarters/1", source=f"/storepulse/{CHAIN}/{shop}/n1",
        )  # fmt: skip

    def _batch(self, shop: str, facts: list[Fact]) -> tuple[str, bytes]:
        address = Address(CHAIN, shop, "n1")
        first = self.numbers.get(shop, 0) + 1
        self.numbers[shop] = first + len(facts) - 1
        clock = Clock(boot="b", monotonic_s=1.0, synchronised=True)
        messages = [
            Message(key=Key(node="n1", epoch="e", number=n), said_at=_NOW, clock=clock, body=fact)
            for n, fact in enumerate(facts, start=first)
        ]
        return address.topic("up/facts"), encode_batch(address, messages)
