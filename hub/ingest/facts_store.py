"""Facts in the database: each id once, in partitions by time. Judges no fact."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any, Final, Literal

import psycopg
from psycopg import sql

from hub.ingest.fact_texts import Written, moment_text, written
from hub.store.database import Connection
from hub.store.queries import question
from storepulse.facts import Fact

Outcome = Literal["new", "same", "other"]
"""What became of a fact: stored now; stored before; its id is taken by other content."""

_ROWS_A_WRITE: Final = 500
_PARTITION_LOCK: Final = 7_405_814  # one maker of partitions at a time
_FACT_COLUMNS: Final = (
    "id", "shop", "metric", "value", "low", "high", "n", "coverage", "independent", "dims",
    "method", "source",
)  # fmt: skip
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""From where PostgreSQL counts microseconds."""
_BINARY_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_BINARY_END: Final = b"\xff\xff"
_KEY_ROW: Final = struct.Struct("!hiqiqi32siq").pack
"""Stream, number, checksum and moment: how many columns, then each one's length and value."""


@dataclass(slots=True)
class SaidFact:
    """A fact to be stored, and the message that said it (None: loaded from a file).

    Not frozen for its making's sake: one is made for each fact.
    """

    fact: Fact
    stream: int | None = None
    number: int | None = None
    written: Written | None = None
    """The fact's texts where they are at hand."""
    new_key: bool = False
    """The message's key is new and has the same checksum: it is stored together with the fact."""


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
    texts = [one.written or written(one.fact) for one in said]
    make_months(connection, {one.start[:7] for one in texts})
    if len({one.fact.id for one in said}) == len(said):
        # Nearly always each id is new: then all goes straight where it belongs.
        with suppress(psycopg.errors.UniqueViolation), connection.transaction():
            _insert_all(connection, said, texts, received_at)
            return ["new"] * len(said)
    return _insert_some(connection, said, texts, received_at)


def _insert_all(
    connection: Connection,
    said: Sequence[SaidFact],
    texts: Sequence[Written],
    received_at: datetime,
) -> None:
    """Store facts and their keys.

    Raises:
        UniqueViolation: an id is taken already.
    """
    # Sorted, so that two writers cannot wait for each other.
    _copy(connection, "copy_fact_ids", sorted(one.claim for one in texts))
    insert_keys(connection, _keys(said, texts), received_at=received_at)
    moment = moment_text(received_at)
    _copy(connection, "copy_facts", _rows(said, texts, f"\t{moment}\n"))


def _keys(said: Iterable[SaidFact], texts: Iterable[Written]) -> list[tuple[int, int, bytes]]:
    return [
        (one.stream, one.number, text.sha256)
        for one, text in zip(said, texts, strict=True)
        if one.new_key and one.stream is not None and one.number is not None
    ]


def _rows(said: Iterable[SaidFact], texts: Iterable[Written], end: str) -> Iterator[str]:
    for one, text in zip(said, texts, strict=True):
        if one.number is None:
            yield f"{text.row}\t\\N\t\\N{end}"
        else:
            yield f"{text.row}\t{one.stream}\t{one.number}{end}"


def _copy(connection: Connection, name: str, rows: Iterable[str]) -> None:
    rest = iter(rows)
    with connection.cursor().copy(question(name)) as copy:
        while block := "".join(islice(rest, _ROWS_A_WRITE)):
            copy.write(block)


def _insert_some(
    connection: Connection,
    said: Sequence[SaidFact],
    texts: Sequence[Written],
    received_at: datetime,
) -> list[Outcome]:
    """Store those facts whose ids are new, by way of a temporary table, and all keys."""
    first: dict[str, int] = {}
    for place, one in enumerate(said):
        first.setdefault(one.fact.id, place)
    connection.execute(question("make_staged_facts"))
    rows = _rows(said, texts, f"\t{moment_text(received_at)}\t")
    _copy(
        connection, "copy_staged_facts",
        (f"{row}\\\\x{texts[place].sha256.hex()}\t{place}\n"
         for place, row in enumerate(rows) if first[said[place].fact.id] == place),
    )  # fmt: skip
    known = {row["place"]: bytes(row["sha256"]) for row in _claim(connection)}
    connection.execute(question("staged_facts"))
    for place, one in enumerate(said):
        before = first[one.fact.id]
        if before != place:
            known[place] = known.get(before, texts[before].sha256)
    insert_keys(connection, _keys(said, texts), received_at=received_at)
    return [
        "new" if place not in known else "same" if known[place] == text.sha256 else "other"
        for place, text in enumerate(texts)
    ]


def _claim(connection: Connection) -> list[dict[str, Any]]:
    """Claim the ids of what is staged; returns what was known before, and forgets it there."""
    taken = connection.execute(question("claim_fact_ids")).fetchall()
    if not taken:
        return []
    places = [row["place"] for row in taken]
    return connection.execute(question("unstage_known_facts"), {"places": places}).fetchall()


def insert_keys(
    connection: Connection, keys: Sequence[tuple[int, int, bytes]], *, received_at: datetime
) -> None:
    """Store keys (stream, number, checksum) that are known to be new: their streams are locked."""
    if not keys:
        return
    at_us = (received_at - _EPOCH) // timedelta(microseconds=1)
    rows = [_KEY_ROW(4, 8, stream, 8, number, 32, checksum, 8, at_us)
            for stream, number, checksum in keys]  # fmt: skip
    with connection.cursor().copy(question("copy_messages")) as copy:
        copy.write(b"".join((_BINARY_HEAD, *rows, _BINARY_END)))


def make_months(connection: Connection, months: Iterable[str]) -> None:
    """Make the partitions for these months (as "2026-11", in UTC) where they are missing.

    A hypertable makes its chunks by itself.
    """
    named = sorted(month.replace("-", "_") for month in months)
    missing = [month for month in named if not _has_month(connection, month)]
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
        "select relkind <> 'p' or exists (select from pg_inherits where inhparent = pg_class.oid"
        " and inhrelid = to_regclass(%s)) as there from pg_class where oid = 'facts'::regclass",
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


def _dated(row: dict[str, Any]) -> DatedFact:
    fact = Fact(
        start=row["started_at"],
        end=row["ended_at"],
        **{name: row[name] for name in _FACT_COLUMNS},
    )
    return DatedFact(row["day"], fact)
