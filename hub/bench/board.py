"""A hub over HTTP with a large chain: how soon the board and a shop's page answer.

The shops, two weeks of their codes and two days of facts are drawn and written into a database of
their own, which is gone afterwards; an API in a process of its own serves it; a session of head
office asks at a fixed rate, and each time is taken from when the request was due, not from when
it could be sent.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np

from hub.bench.codes import LAST, million_steps
from hub.bench.cpu import cpu_s, family_cpu_s
from hub.bench.drawn import drawn_facts, drawn_shop, drawn_shop_facts, shop_name
from hub.codes.batch import codes_of_shops
from hub.codes.code import Code, first_day_needed
from hub.codes.computing import Policies, ensure_default_policy
from hub.codes.policy import default_policy
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.people.tokens import new_token, token_sha256
from hub.shops_store import save_shop
from hub.store.database import Connection, Database, open_database
from storepulse.errors import Unavailable

_CODE_DAYS: Final = 14
_FACT_DAYS: Final = 2
_KINDS: Final = 200
"""So many shops are computed; the others are copies of theirs under their own names."""
_READY_S_MAX: Final = 60.0
_COLUMNS: Final = (
    "shop", "dimension", "day", "version", "computed_at", "policy_version", "colour", "probability",
    "value", "low", "high", "rule", "rule_zh", "turns_green_at", "turning", "facts", "unit",
    "turns_green_when", "turns_green_when_zh", "unknown_days",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """The times of one kind of request, from when it was due to the last byte, in ms."""

    asked: int
    median_ms: float
    p95_ms: float
    worst_ms: float
    bytes_sent: int
    """Of a typical answer, as it went over the wire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardBench:
    """What was measured, and how busy the machine was."""

    shops: int
    codes: int
    requests_a_second: float
    page_rows: int
    times: dict[str, Times]
    failed: int
    api_cpu_s: float
    """Of the API's process, without the database's."""
    api_cpu_ms_a_request: float
    database_cpu_ms_a_request: float | None
    """Of all its processes; None where the database was given by URL."""
    million_steps_s: float
    """CPU time of a million steps of an empty loop: how slow a processor was meanwhile."""
    load_before: float
    load_after: float


class ApiNotReady(Unavailable):
    """The API's process ended or did not answer in time."""


def bench_board(
    shops: int, rate: float, seconds: float, page_rows: int, database: str | None
) -> BoardBench:
    """Fill a database, serve it, ask, and take it away again.

    Args:
        database: an empty one by URL; None: an embedded one in a folder that is removed.
    """
    with tempfile.TemporaryDirectory(prefix="storepulse-bench-") as folder:
        Path(folder).chmod(0o711)  # root's lower user must reach the database in it
        place = database or str(Path(folder) / "hub")
        with open_database(place) as opened:
            with opened.connection() as connection:
                codes = fill(connection, shops)
            look_through(opened)
            token = head_office(opened)
            with serving(place) as (url, process):
                before = os.getloadavg()[0]
                postmaster = None if opened.embedded is None else opened.embedded.pid
                used = [cpu_s(process), family_cpu_s(postmaster)]
                times, failed = asyncio.run(_ask(url, token, shops, rate, seconds, page_rows))
                used = [cpu_s(process) - used[0], family_cpu_s(postmaster) - used[1]]
    asked = sum(one.asked for one in times.values())
    return BoardBench(
        shops=shops, codes=codes, requests_a_second=rate, page_rows=page_rows, times=times,
        failed=failed, api_cpu_s=round(used[0], 2),
        api_cpu_ms_a_request=round(1000 * used[0] / asked, 2),
        database_cpu_ms_a_request=None if database else round(1000 * used[1] / asked, 2),
        million_steps_s=round(million_steps(), 4), load_before=round(before, 1),
        load_after=round(os.getloadavg()[0], 1),
    )  # fmt: skip


def fill(connection: Connection, shops: int, *, last: date = LAST) -> int:
    """Write shops, codes and facts of the days up to `last`; gives the number of codes."""
    ensure_default_policy(connection)
    for number in range(shops):
        save_shop(connection, drawn_shop(number))
    for first in range(0, shops, _KINDS):
        some = range(first, min(first + _KINDS, shops))
        facts = [SaidFact(one) for number in some for one in drawn_facts(number, last, _FACT_DAYS)]
        insert_facts(connection, facts, received_at=datetime.now(UTC))
    kinds = _kinds(min(_KINDS, shops), last)
    count = 0
    with connection.cursor().copy(f"copy codes ({', '.join(_COLUMNS)}) from stdin") as copy:
        for number in range(shops):
            for code in kinds[number % len(kinds)]:
                copy.write_row(_row(code, shop_name(number)))
                count += 1
    return count


def _kinds(count: int, last: date) -> list[list[Code]]:
    """Real codes of some drawn shops, with their reasons."""
    policy = default_policy()
    days = [last - timedelta(days=back) for back in reversed(range(_CODE_DAYS))]
    span = (last - first_day_needed(policy, days[0])).days + 1
    now = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=3)
    found = []
    for number in range(count):
        shop = drawn_shop_facts(number, last, span)
        fours = codes_of_shops([shop], days, Policies([policy]), now=now)
        found.append([code for four in fours for code in four])
    return found


def _row(code: Code, shop: str) -> tuple[Any, ...]:
    told = {
        "shop": shop, "version": 1, "computed_at": datetime.now(UTC), "facts": list(code.facts),
        "turns_green_at": json.dumps(code.turns_green_at),
    }  # fmt: skip
    return tuple(told[name] if name in told else getattr(code, name) for name in _COLUMNS)


def look_through(database: Database) -> None:
    """Have the server learn what its tables hold, as it does some minutes after filling."""
    with database.connection() as connection:
        connection.commit()
        connection.autocommit = True
        connection.execute("vacuum analyze")
        connection.autocommit = False


def head_office(database: Database) -> str:
    """A session of somebody who sees every shop; the secret."""
    token = new_token()
    with database.connection() as connection:
        row = connection.execute(
            "insert into people (name, name_key, role, password)"
            " values ('bench', 'bench', 'head_office', '-') returning id"
        ).fetchone()
        assert row is not None
        connection.execute(
            "insert into sessions (token_sha256, person) values (%s, %s)",
            [token_sha256(token), row["id"]],
        )
    return token


@contextmanager
def serving(place: str) -> Iterator[tuple[str, int]]:
    """The API in a process of its own; gives its address and the process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    child = subprocess.Popen(
        [sys.executable, "-m", "hub.bench.serve", place, str(port)], stdin=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + _READY_S_MAX
        while not answers(url):
            if child.poll() is not None or time.monotonic() > until:
                raise ApiNotReady("the API's process did not come up; see above")
            time.sleep(0.1)
        yield url, child.pid
    finally:
        child.terminate()
        child.wait()


def answers(url: str) -> bool:
    """Whether an API answers there."""
    try:
        return httpx.get(f"{url}/healthz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _paths(shops: int, page_rows: int) -> Iterator[tuple[str, str]]:
    """What is asked, in turn: as often the board as something of a shop's page."""
    number = 0
    while True:
        shop = shop_name((number * 7919) % shops)
        for of_shop in ("codes", "curves", "actions", "calendar"):
            yield "board", f"/api/board?limit={page_rows}"
            yield f"shop {of_shop}", f"/api/shops/{shop}/{of_shop}"
        yield "board of a region", f"/api/board?limit={page_rows}&region=region-07"
        yield "shop facts", f"/api/facts?shop={shop}&from={LAST}&to={LAST}"
        number += 1


async def _ask(
    url: str, token: str, shops: int, rate: float, seconds: float, page_rows: int
) -> tuple[dict[str, Times], int]:
    taken: dict[str, list[tuple[float, int]]] = {}
    failed = 0
    limits = httpx.Limits(max_connections=64)
    async with httpx.AsyncClient(
        base_url=url, cookies={"storepulse": token}, timeout=30, limits=limits
    ) as client:

        async def one(kind: str, path: str, due: float) -> None:
            nonlocal failed
            answer = await client.get(path)
            ended = time.perf_counter()
            if answer.status_code != httpx.codes.OK:
                failed += 1
            size = int(answer.headers.get("content-length", answer.num_bytes_downloaded))
            taken.setdefault(kind, []).append((1000 * (ended - due), size))

        paths = _paths(shops, page_rows)
        # The first requests build routes and plans; nobody waits for those but us.
        for _ in range(20):
            await one(*next(paths), time.perf_counter())
        taken.clear()
        tasks = []
        began = time.perf_counter()
        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            tasks.append(asyncio.create_task(one(*next(paths), due)))
        await asyncio.gather(*tasks)
    return {kind: times_of(some) for kind, some in sorted(taken.items())}, failed


def times_of(some: Sequence[tuple[float, int]]) -> Times:
    """Of times in ms with the bytes of each answer."""
    ms = np.array([one for one, _ in some])
    return Times(
        asked=len(some), median_ms=round(float(np.median(ms)), 1),
        p95_ms=round(float(np.quantile(ms, 0.95)), 1), worst_ms=round(float(ms.max()), 1),
        bytes_sent=int(np.median([size for _, size in some])),
    )  # fmt: skip
