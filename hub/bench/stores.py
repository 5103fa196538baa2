"""What several databases take to store the same facts and to read figures, in turn. Starts none.

In each run every database is given the same days of all shops, and is then asked for figures; the
first run warms up. They take turns, so that whatever else the machine does strikes all alike.
"""

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from hub.bench.codes import million_steps
from hub.bench.cpu import cpu_s
from hub.bench.ingest import mean_with_interval
from hub.bench.sender import FIRST, node_address, quarter_facts
from hub.figures.keeping import refresh_one
from hub.figures.reading import DAYS_SHOWN, read_series
from hub.figures.windows import Grain
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.shops_store import add_missing_shops
from hub.store.database import Database, open_database
from storepulse.errors import BadInput

_FACTS_A_DAY: Final = 5 * 96
_FACTS_AT_ONCE: Final = 2000
_READINGS: Final = 5
"""Of each grain and run, each of another shop."""

Interval = tuple[float, float | None, float | None]
"""A mean and the ends of its 90 % interval over the runs (Student's t); None for a single run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFound:
    """What one database took."""

    place: str
    postgres: str
    timescale: str
    facts_in: str
    """What facts lie in: partitions by month, or a hypertable's chunks."""
    facts: int
    """Stored in all runs, the one that warms up included."""
    facts_a_second: Interval
    cpu_us_a_fact: Interval | None
    """Of the server's process for our connection; None where it is not of this machine."""
    read_ms: Mapping[Grain, Interval]
    """A metric of a shop: a day by quarter, 7 days by hour, 28 days by day, 12 weeks by week."""
    rate_to_first: Interval
    """Facts a second by those of the first database in the same run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoresBench:
    """What was measured, database by database in the order given."""

    shops: int
    days_a_run: int
    runs: int
    stores: tuple[StoreFound, ...]
    million_steps_s: float
    load_before: float
    load_after: float


@dataclass(slots=True)
class _Tally:
    rates: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    read_ms: dict[Grain, list[float]] = field(default_factory=dict)


def bench_stores(places: Sequence[str], shops: int, days: int, runs: int) -> StoresBench:
    """Give each database the same facts, and ask it for the same figures.

    Args:
        places: of empty databases, as `open_database` takes them.
        days: that each run stores of every shop.
    Raises:
        BadInput: one of them holds facts already.
    """
    before = os.getloadavg()[0]
    with ExitStack() as opened:
        databases = [opened.enter_context(open_database(place)) for place in places]
        for database in databases:
            _make_shops(database, shops)
        tallies = [_Tally() for _ in databases]
        for run in range(runs + 1):
            for database, tally in zip(databases, tallies, strict=True):
                _one_run(database, tally if run else _Tally(), shops, run * days, days)
        found = tuple(
            _found(database, tally, tallies[0], shops * days * _FACTS_A_DAY * (runs + 1))
            for database, tally in zip(databases, tallies, strict=True)
        )
    return StoresBench(
        shops=shops, days_a_run=days, runs=runs, stores=found,
        million_steps_s=round(million_steps(), 4), load_before=round(before, 1),
        load_after=round(os.getloadavg()[0], 1),
    )  # fmt: skip


def _make_shops(database: Database, shops: int) -> None:
    with database.connection() as connection:
        if connection.execute("select from facts limit 1").fetchone() is not None:
            raise BadInput(f"{database.place} holds facts: give an empty database")
        add_missing_shops(connection, [node_address(number).shop for number in range(shops)])


def _one_run(database: Database, tally: _Tally, shops: int, first: int, days: int) -> None:
    facts = [
        SaidFact(fact)
        for number in range(shops)
        for fact in quarter_facts(number, first * _FACTS_A_DAY, days * _FACTS_A_DAY)
    ]
    received = FIRST + timedelta(days=first + days)
    wall = cpu = 0.0
    for at in range(0, len(facts), _FACTS_AT_ONCE):
        began = time.perf_counter()
        with database.connection() as connection:
            pid = connection.info.backend_pid
            used = _cpu_s(pid)
            insert_facts(connection, facts[at : at + _FACTS_AT_ONCE], received_at=received)
            connection.commit()
            cpu += _cpu_s(pid) - used
        wall += time.perf_counter() - began
    tally.rates.append(len(facts) / wall)
    if cpu:
        tally.cpu_us.append(1e6 * cpu / len(facts))
    while refresh_one(database, now=received + timedelta(days=36_500)) is not None:
        pass
    for by in DAYS_SHOWN:
        took = 0.0
        for number in range(_READINGS):
            with database.connection() as connection:
                began = time.perf_counter()
                read_series(
                    connection, node_address(number % shops).shop, "visitors", by, None, None,
                    now=received - timedelta(hours=1),
                )  # fmt: skip
                took += time.perf_counter() - began
        tally.read_ms.setdefault(by, []).append(1000 * took / _READINGS)


def _cpu_s(process: int) -> float:
    """0 for a server of another machine, whose processes are not seen here."""
    try:
        return cpu_s(process)
    except OSError:
        return 0.0


def _found(database: Database, tally: _Tally, first: _Tally, facts: int) -> StoreFound:
    with database.connection() as connection:
        row = connection.execute(
            "select (select count(*) from facts) as n,"
            " (select relkind from pg_class where oid = 'facts'::regclass) as kind"
        ).fetchone()
    assert row is not None
    assert row["n"] == facts, f"{row['n']} facts are there, {facts} were stored"
    return StoreFound(
        place=database.place, postgres=database.version, timescale=database.timescale,
        facts_in="partitions" if row["kind"] == "p" else "hypertable", facts=facts,
        facts_a_second=_rounded(tally.rates, 0),
        cpu_us_a_fact=_rounded(tally.cpu_us, 1) if tally.cpu_us else None,
        read_ms={by: _rounded(some, 2) for by, some in tally.read_ms.items()},
        rate_to_first=_rounded(
            [one / other for one, other in zip(tally.rates, first.rates, strict=True)], 3
        ),
    )  # fmt: skip


def _rounded(values: Sequence[float], digits: int) -> Interval:
    average, low, high = mean_with_interval(values)
    if low is None or high is None:
        return round(average, digits), None, None
    return round(average, digits), round(low, digits), round(high, digits)
