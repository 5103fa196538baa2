"""From broker to committed row, each fact once: how many a second, and what a bare COPY would do.

A real broker, an embedded PostgreSQL with its usual settings, `storepulse hub ingest` and a sender
are processes of their own on this machine. The clock runs from the first message to the last
acknowledgement, which follows the commit. Afterwards the rows are counted: each fact once, though
some messages were sent twice. Then the rows of the last run go into the same table by one COPY.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any, Final

from hub.bench.codes import million_steps
from hub.bench.cpu import cpu_s, family_cpu_s, throw_away
from hub.bench.sender import CHAIN
from hub.brokers.broker import Broker, BrokerKind, running_broker
from hub.store.database import Database, open_database
from storepulse.errors import Unavailable

_COPY_COLUMNS: Final = (
    "id, shop, metric, started_at, ended_at, value, low, high, n, coverage, independent, dims,"
    " method, source, stream, number, received_at"
)
_COPIES: Final = 3
_READY_S_MAX: Final = 30.0
_T95: Final = (6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833)
"""95th percentile of Student's t for 1, 2, ... degrees of freedom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestBench:
    """What was measured. Seconds of CPU are of all measured runs together."""

    broker: str
    workers: int
    """Processes of the hub that store; 1: the one that speaks to the broker."""
    nodes: int
    facts_a_message: int
    window: int
    """Messages that a node has under way."""
    runs: int
    facts_a_run: int
    facts_a_second: tuple[float, ...]
    facts_a_second_mean: float
    facts_a_second_low: float | None
    facts_a_second_high: float | None
    """90 % interval of the mean over the runs (Student's t); None for a single run."""
    stored_once: bool
    """As many rows and ids as facts were said, no alarm, nothing in quarantine."""
    sent_twice: int
    """Messages that were sent twice on purpose."""
    repeated_after_silence: int
    bytes_a_fact: float
    cpu_us_a_fact: dict[str, float]
    copy_facts_a_second: float
    """A bare COPY of the rows of one run into the same table with its indexes and triggers."""
    ratio_to_copy: float
    million_steps_s: float
    load_before: float
    load_after: float


class IngestStuck(Unavailable):
    """A process of the bench ended before its time."""


def bench_ingest(
    nodes: int,
    messages: int,
    size: int,
    window: int,
    runs: int,
    kind: BrokerKind | None,
    workers: int,
) -> IngestBench:
    """Run broker, database, ingest and sender; the first run warms up and is not counted.

    Args:
        messages: of each node in each run.
        size: facts in a message.
        window: messages that a node has under way.
        kind: of the broker; None for mosquitto where it is installed.
        workers: processes of the hub that store.
    """
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="storepulse-bench-") as folder:
        Path(folder).chmod(0o711)  # root's lower user must reach the database in it
        place = str(Path(folder) / "hub")
        with (
            open_database(place) as database,
            running_broker(Path(folder) / "broker", kind=kind) as broker,
        ):
            asked = (nodes, messages, size, window, runs)
            found = _measured(place, database, broker, asked, workers)
            copied = _bare_copy(database, nodes * messages * size)
            throw_away(database)
    rates = found.pop("rates")
    average, low, high = mean_with_interval(rates)
    return IngestBench(
        broker=broker.kind, workers=workers, nodes=nodes, facts_a_message=size, window=window,
        runs=runs,
        facts_a_run=nodes * messages * size, facts_a_second=tuple(round(one) for one in rates),
        facts_a_second_mean=round(average),
        facts_a_second_low=None if low is None else round(low),
        facts_a_second_high=None if high is None else round(high),
        copy_facts_a_second=round(copied), ratio_to_copy=round(average / copied, 3),
        million_steps_s=round(million_steps(), 4), load_before=round(before, 1),
        load_after=round(os.getloadavg()[0], 1), **found,
    )  # fmt: skip


def mean_with_interval(values: Sequence[float]) -> tuple[float, float | None, float | None]:
    """Mean and 90 % interval of the mean by Student's t; no interval for a single value."""
    average = mean(values)
    if len(values) < 2:
        return average, None, None
    t = _T95[min(len(values) - 1, len(_T95)) - 1]
    half = t * stdev(values) / math.sqrt(len(values))
    return average, average - half, average + half


def _measured(
    place: str,
    database: Database,
    broker: Broker,
    asked: tuple[int, int, int, int, int],
    workers: int,
) -> dict[str, Any]:
    nodes, messages, size, window, runs = asked
    words = ["ingest", "--database", place, "--broker", broker.url, "--chain", CHAIN]
    words += ["--workers", str(workers)]
    listener = subprocess.Popen(
        [sys.executable, "-m", "storepulse", "hub", *words], stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    sender = subprocess.Popen(
        [sys.executable, "-m", "hub.bench.sender", str(broker.port),
         *(str(one) for one in (nodes, size, window))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        told = []
        assert database.embedded is not None
        postmaster = database.embedded.pid
        for run in range(runs + 1):
            began = _used(listener.pid, postmaster, broker.pid)
            one = _one_run(sender, listener, first=run * messages, messages=messages)
            ended = _used(listener.pid, postmaster, broker.pid)
            spent = {name: ended[name] - began[name] for name in ended}
            if run:
                told.append({**one, "spent": {**spent, "sender": one["cpu_s"]}})
    finally:
        for child in (sender, listener):
            child.terminate()
            child.wait()
        assert sender.stdin is not None
        assert sender.stdout is not None
        sender.stdin.close()
        sender.stdout.close()
    facts = nodes * messages * size
    names = told[0]["spent"]
    return {
        "rates": [facts / one["wall_s"] for one in told],
        "stored_once": _stored_once(database, facts * (runs + 1)),
        "sent_twice": sum(one["again"] for one in told),
        "repeated_after_silence": sum(one["repeated"] for one in told),
        "bytes_a_fact": round(sum(one["bytes_sent"] for one in told) / (facts * runs), 1),
        "cpu_us_a_fact": {
            name: round(1e6 * sum(one["spent"][name] for one in told) / (facts * runs), 1)
            for name in names
        },
    }


def _used(listener: int, postmaster: int, broker: int) -> dict[str, float]:
    return {
        "hub": family_cpu_s(listener), "database": family_cpu_s(postmaster), "broker": cpu_s(broker)
    }  # fmt: skip


def _one_run(
    sender: "subprocess.Popen[str]", listener: "subprocess.Popen[bytes]", **asked: int
) -> dict[str, Any]:
    assert sender.stdin is not None
    assert sender.stdout is not None
    sender.stdin.write(json.dumps(asked) + "\n")
    sender.stdin.flush()
    line = sender.stdout.readline()
    if not line or listener.poll() is not None:
        raise IngestStuck("the sender or the hub ended before its time; see above")
    told: dict[str, Any] = json.loads(line)
    return told


def _stored_once(database: Database, facts: int) -> bool:
    with database.connection() as connection:
        row = connection.execute(
            "select (select count(*) from facts) as facts,"
            " (select count(distinct id) from facts) as ids,"
            " (select count(*) from messages) as messages,"
            " (select count(*) from quarantine) + (select count(*) from alarms) as faults"
        ).fetchone()
    assert row is not None
    return (row["facts"], row["ids"], row["messages"], row["faults"]) == (facts, facts, facts, 0)


def _bare_copy(database: Database, rows: int) -> float:
    """Rows a second of a COPY of so many of the stored rows into an empty `facts`: the best of 3.

    The text that is copied is at hand before the clock starts, and the commit is on the clock.
    """
    with database.connection() as connection:
        out = f"copy (select {_COPY_COLUMNS} from facts limit {rows}) to stdout"  # noqa: S608
        with connection.cursor().copy(out) as copy:
            text = b"".join(bytes(part) for part in copy)
    best = math.inf
    for _ in range(_COPIES):
        with database.connection() as connection:
            connection.execute("truncate facts")
        began = time.perf_counter()
        with (
            database.connection() as connection,
            connection.cursor().copy(f"copy facts ({_COPY_COLUMNS}) from stdin") as copy,
        ):
            copy.write(text)
        best = min(best, time.perf_counter() - began)
    return rows / best
