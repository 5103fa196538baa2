"""Facts in the database: each id once, in partitions by time. Judges no fact."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, Final, Literal

from psycopg import sql

from hub.ingest.fact_rules import dims_text, fact_sha256
from hub.store.database import Connection
from hub.store.queries import question
from storepulse.facts import Fact

Outcome = Literal["new", "same", "other"]
"""What became of a fact: stored now; stored before; its id is taken by other content."""

_LINES_A_WRITE: Final = 500
_PARTITION_LOCK: Final = 7_405_814  # one maker of partitions at a time
_FACT_COLUMNS: Final = (
    "id", "shop", "metric", "value", "low", "high", "n", "coverage", "independent", "dims",
    "method", "source",
)  # fmt: skip


_ESCAPES: Final = str.maketrans(
    {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
)  # fmt: skip
_HARMLESS: Final = re.compile(r"[^\\\t\n\r]*").fullmatch


@dataclass(frozen=True, slots=True)
class SaidFact:
    """A fact to be stored, and the message that said it (None: loaded from a file)."""

    fact: Fact
    stream: int | None = None
    number: int | None = None
    sha256: bytes | None = None
    """The fact's checksum where it is at hand."""
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

    The same id twice in one call: the first is new, the second same or other. All go into a
    temporary table by one COPY, and from there where they belong.
    """
    if not said:
        return []
    sums = [one.sha256 or fact_sha256(one.fact) for one in said]
    first: dict[str, int] = {}
    for place, one in enumerate(said):
        first.setdefault(one.fact.id, place)
    make_months(connection, (one.fact.start for one in said))
    connection.execute(question("make_staged_facts"))
    with connection.cursor().copy(question("copy_staged_facts")) as copy:
        received = received_at.isoformat()
        lines = (_line(place, said[place], sums[place], received) for place in first.values())
        while block := "".join(islice(lines, _LINES_A_WRITE)):
            copy.write(block)
    known = {row["place"]: bytes(row["sha256"]) for row in _claim(connection)}
    for question_name in ("staged_messages", "staged_facts"):
        connection.execute(question(question_name))
    if len(first) < len(said):
        again = [place for place, one in enumerate(said) if first[one.fact.id] != place]
        for place in again:
            before = first[said[place].fact.id]
            known[place] = known.get(before, sums[before])
        _insert_keys_of(connection, [(said[place], sums[place]) for place in again], received_at)
    return [
        "new" if place not in known else "same" if known[place] == checksum else "other"
        for place, checksum in enumerate(sums)
    ]


def _claim(connection: Connection) -> list[dict[str, Any]]:
    """Claim the ids of what is staged; returns what was known before, and forgets it there."""
    taken = connection.execute(question("claim_fact_ids")).fetchall()
    if not taken:
        return []
    places = [row["place"] for row in taken]
    return connection.execute(question("unstage_known_facts"), {"places": places}).fetchall()


def _insert_keys_of(
    connection: Connection, told: Iterable[tuple[SaidFact, bytes]], received_at: datetime
) -> None:
    with connection.cursor().copy(question("copy_messages")) as copy:
        for one, checksum in told:
            if one.new_key:
                copy.write_row((one.stream, one.number, checksum, received_at))


def _line(place: int, one: SaidFact, checksum: bytes, received: str) -> str:
    """One line of COPY's text format: tabs between, \\N for null, a backslash before specials."""
    fact = one.fact
    texts = [fact.id, fact.shop, fact.metric, dims_text(fact), fact.method, fact.source]
    if not _HARMLESS("".join(texts)):
        texts = [text.translate(_ESCAPES) for text in texts]
    name, shop, metric, dims, method, source = texts
    value, low, high, n, stream, number = (
        "\\N" if figure is None else figure
        for figure in (fact.value, fact.low, fact.high, fact.n, one.stream, one.number)
    )
    return (
        f"{place}\t{name}\t{shop}\t{metric}\t{fact.start.isoformat()}\t{fact.end.isoformat()}"
        f"\t{value}\t{low}\t{high}\t{n}\t{fact.coverage}\t{fact.independent}\t{dims}\t{method}"
        f"\t{source}\t{stream}\t{number}\t{received}\t\\\\x{checksum.hex()}\t{one.new_key:d}\n"
    )


def make_months(connection: Connection, starts: Iterable[datetime]) -> None:
    """Make the partitions for the months of these moments where they are missing.

    A hypertable makes its chunks by itself.
    """
    moments = (start.astimezone(UTC) for start in set(starts))
    months = sorted({(moment.year, moment.month) for moment in moments})
    named = [f"{year:04}_{number:02}" for year, number in months]
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
