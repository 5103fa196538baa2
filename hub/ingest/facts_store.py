"""Facts in the database: each id once, in partitions by month. Judges no fact."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, Literal

from psycopg import sql
from psycopg.types.json import Jsonb

from hub.ingest.fact_rules import fact_sha256
from hub.store.database import Connection
from hub.store.queries import question
from storepulse.facts import Fact

Outcome = Literal["new", "same", "other"]
"""What became of a fact: stored now; stored before; its id is taken by other content."""

_PARTITION_LOCK: Final = 7_405_814  # one maker of partitions at a time
_FACT_COLUMNS: Final = (
    "id", "shop", "metric", "value", "low", "high", "n", "coverage", "independent", "dims",
    "method", "source",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SaidFact:
    """A fact to be stored, and the message that said it (None: loaded from a file)."""

    fact: Fact
    stream: int | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class DatedFact:
    """A stored fact and the local day of its shop on which its window starts."""

    day: date
    fact: Fact


def insert_facts(
    connection: Connection, said: Sequence[SaidFact], *, received_at: datetime
) -> list[Outcome]:
    """Store facts whose shops exist; returns what became of each, in order.

    The same id twice in one call: the first is new, the second same or other.
    """
    if not said:
        return []
    sums = [fact_sha256(one.fact) for one in said]
    claimed = connection.execute(
        question("new_fact_ids"),
        {
            "ids": [one.fact.id for one in said],
            "sha256": sums,
            "started_at": [one.fact.start for one in said],
        },
    )
    unused = {row["id"] for row in claimed}
    rows = connection.execute(
        question("known_fact_ids"), {"ids": sorted({one.fact.id for one in said})}
    )
    known = {row["id"]: bytes(row["sha256"]) for row in rows}
    outcomes: list[Outcome] = []
    new = []
    for one, checksum in zip(said, sums, strict=True):
        # Of two in one call the database claimed the id for either: its checksum says which.
        if one.fact.id in unused and known[one.fact.id] == checksum:
            unused.remove(one.fact.id)
            new.append(one)
            outcomes.append("new")
        else:
            outcomes.append("same" if known[one.fact.id] == checksum else "other")
    make_months(connection, (one.fact.start for one in new))
    _copy(connection, new, received_at)
    return outcomes


def _copy(connection: Connection, said: Sequence[SaidFact], received_at: datetime) -> None:
    if not said:
        return
    with connection.cursor().copy(question("copy_facts")) as copy:
        for one in said:
            fact = one.fact
            copy.write_row(
                (
                    fact.id, fact.shop, fact.metric, fact.start, fact.end, fact.value, fact.low,
                    fact.high, fact.n, fact.coverage, fact.independent, Jsonb(dict(fact.dims)),
                    fact.method, fact.source, one.stream, one.number, received_at,
                )
            )  # fmt: skip


def make_months(connection: Connection, starts: Iterable[datetime]) -> None:
    """Make the partitions for the months of these moments where they are missing."""
    months = sorted({start.astimezone(UTC).strftime("%Y_%m") for start in starts})
    missing = [month for month in months if not _has_month(connection, month)]
    if not missing:
        return
    connection.execute("select pg_advisory_xact_lock(%s)", [_PARTITION_LOCK])
    for month in missing:
        # Another worker may have made it while we waited for the lock.
        if _has_month(connection, month):
            continue
        year, number = int(month[:4]), int(month[5:])
        first = datetime(year, number, 1, tzinfo=UTC)
        after = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
        name = sql.Identifier(f"facts_{month}")
        connection.execute(sql.SQL("create table {} (like facts including all)").format(name))
        # Attaching, unlike `partition of`, lets others go on writing to the other months.
        connection.execute(
            sql.SQL("alter table facts attach partition {} for values from ({}) to ({})").format(
                name, sql.Literal(first.isoformat()), sql.Literal(after.isoformat())
            )
        )


def _has_month(connection: Connection, month: str) -> bool:
    row = connection.execute(
        "select exists (select from pg_inherits where inhparent = 'facts'::regclass"
        " and inhrelid = to_regclass(%s)) as there",
        [f"facts_{month}"],
    ).fetchone()
    return row is not None and bool(row["there"])


def facts_of_days(
    connection: Connection,
    first: date,
    last: date,
    *,
    shops: Sequence[str] | None = None,
    metrics: Sequence[str] | None = None,
) -> list[DatedFact]:
    """Facts that start on the shops' own days first..last, by shop, metric and start.

    Facts told under an unsynchronised clock are not among them until they are re-timed.
    """
    rows = connection.execute(
        question("facts_of_days"),
        {
            "first": first, "last": last,
            "shops": None if shops is None else list(shops),
            "metrics": None if metrics is None else list(metrics),
        },
    )  # fmt: skip
    return [_dated(row) for row in rows]


def facts_by_id(connection: Connection, ids: Sequence[str]) -> list[DatedFact]:
    """The facts with these ids, oldest first; unknown ids are left out."""
    rows = connection.execute(question("facts_by_id"), {"ids": list(ids)})
    return [_dated(row) for row in rows]


def days_with_facts(connection: Connection, *, since: datetime) -> list[tuple[str, date]]:
    """Shop and local day of every fact received since then: their codes may differ now."""
    rows = connection.execute(question("days_with_facts"), {"since": since})
    return [(row["shop"], row["day"]) for row in rows]


def _dated(row: dict[str, Any]) -> DatedFact:
    fact = Fact(
        start=row["started_at"],
        end=row["ended_at"],
        **{name: row[name] for name in _FACT_COLUMNS},
    )
    return DatedFact(row["day"], fact)
