"""A hub over HTTP with a large chain: how soon all its shops stand on a plane of two figures.

Shops, codes and kept day figures are drawn and written into a database of their own, which is gone
afterwards; an API in a process of its own serves it; head office asks one question after another.
"""

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx

from hub.bench.board import Times, fill, head_office, look_through, serving, times_of
from hub.bench.codes import LAST, million_steps
from hub.bench.cpu import cpu_s, family_cpu_s
from hub.store.database import Connection, open_database

_METRICS: Final = (
    "visitors", "dwell_mean", "occupancy", "receptions", "price_compliance", "exposure_main_push",
    "sales", "rain",
)  # fmt: skip
_PAIRS: Final = (
    ("visitors", "price_compliance"), ("people", "visitors"), ("people", "goods"),
)  # fmt: skip
_DRAWN: Final = """
    insert into day_figures (shop, metric, day, value, low, high, n, coverage, hours, ended_at,
                             facts, doubt, computed_at)
    select shop, metric, day, value, value * 0.9, value * 1.1, 40, 1, 12, now(), 48,
           '{"shared": {"node": [0.1, 0.1]}, "own": [0, 0]}', now()
    from (
        select shop, metric, day::date, random() * 100 as value
        from shops, unnest(%(metrics)s::text[]) as metric,
             generate_series(%(first)s::date, %(last)s::date, interval '1 day') as day
    ) as drawn
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneBench:
    """What was measured, and how busy the machine was."""

    shops: int
    day_figures: int
    times: dict[str, Times]
    """By the two figures; each from the question to the last byte."""
    api_cpu_ms_a_question: float
    database_cpu_ms_a_question: float
    """Of all its processes. Both are what an idle machine would take, whatever else one does."""
    million_steps_s: float
    """CPU time of a million steps of an empty loop: how slow a processor was meanwhile."""
    load_before: float
    load_after: float


def bench_plane(shops: int, days: int, asked: int) -> PlaneBench:
    """Fill an embedded database, serve it, ask, and take it away again."""
    with tempfile.TemporaryDirectory(prefix="storepulse-bench-") as folder:
        Path(folder).chmod(0o711)  # root's lower user must reach the database in it
        place = str(Path(folder) / "hub")
        with open_database(place) as opened:
            with opened.connection() as connection:
                fill(connection, shops)
                figures = _fill_figures(connection, days)
            look_through(opened)
            token = head_office(opened)
            assert opened.embedded is not None
            with serving(place) as (url, process):
                before = os.getloadavg()[0]
                used = [cpu_s(process), family_cpu_s(opened.embedded.pid)]
                times = {f"{x}, {y}": _ask(url, token, x, y, shops, asked) for x, y in _PAIRS}
                used = [cpu_s(process) - used[0], family_cpu_s(opened.embedded.pid) - used[1]]
    questions = len(_PAIRS) * (asked + 1)
    return PlaneBench(
        shops=shops, day_figures=figures, times=times,
        api_cpu_ms_a_question=round(1000 * used[0] / questions, 1),
        database_cpu_ms_a_question=round(1000 * used[1] / questions, 1),
        million_steps_s=round(million_steps(), 4),
        load_before=round(before, 1), load_after=round(os.getloadavg()[0], 1),
    )  # fmt: skip


def _fill_figures(connection: Connection, days: int) -> int:
    """Draw the kept figures of so many days up to the last one; gives their number."""
    asked = {"metrics": list(_METRICS), "first": LAST - timedelta(days=days - 1), "last": LAST}
    return connection.execute(_DRAWN, asked).rowcount


def _ask(url: str, token: str, x: str, y: str, shops: int, asked: int) -> Times:
    taken: list[tuple[float, int]] = []
    with httpx.Client(base_url=url, cookies={"storepulse": token}, timeout=60) as client:
        # The first question builds routes and plans; nobody waits for those but us.
        for _ in range(asked + 1):
            began = time.perf_counter()
            answer = client.get("/api/plane", params={"x": x, "y": y})
            took = 1000 * (time.perf_counter() - began)
            told: Sequence[float | None] = answer.raise_for_status().json()["x"]["value"]
            assert len(told) == shops, f"{len(told)} shops were told of, {shops} are there"
            taken.append((took, int(answer.headers.get("content-length", 0))))
    return times_of(taken[1:])
