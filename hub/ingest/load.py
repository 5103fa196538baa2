"""Load a file of facts, a JSON object a line, into the database. `fact_rules` judges them."""

import json
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

import psycopg
from pydantic import ValidationError

from hub.errors import BadFactsFile
from hub.ingest.fact_rules import why_refused
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.shops_store import add_missing_shops
from hub.store.database import Connection, Database
from storepulse.facts import FACT_JSON, Fact
from storepulse.units import KIB
from storepulse.wire import explain

BATCH: Final = 2000
"""Lines in one transaction."""
LINE_BYTES_MAX: Final = 64 * KIB
"""A longer line is refused without being held in memory."""
_REASONS_KEPT: Final = 20


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that was not taken, counted from 1, and why."""

    line: int
    reason: str


@dataclass(slots=True)
class Loaded:
    """What became of the lines of a file. Empty lines are not counted."""

    new: int = 0
    duplicate: int = 0
    refused: int = 0
    readable: int = 0
    """Lines that hold a fact, also one that was refused for what it says."""
    refused_by_reason: Counter[str] = field(default_factory=Counter)
    """Every refusal, counted by its kind."""
    first_refused: list[RefusedLine] = field(default_factory=list)
    """The first 20 of them."""
    new_shops: list[str] = field(default_factory=list)
    """Shops that a fact named and no list has; made unassigned."""

    def refuse(self, line: int, reason: str) -> None:
        """Count a refusal; of the first ones the reason is kept."""
        self.refused += 1
        # What stands before the colon is the kind, what comes after it the case.
        self.refused_by_reason[reason.split(":")[0]] += 1
        if len(self.first_refused) < _REASONS_KEPT:
            self.first_refused.append(RefusedLine(line, reason))

    @property
    def lines(self) -> int:
        """How many lines held something."""
        return self.new + self.duplicate + self.refused


def load_facts(database: Database, file: Path, *, received_at: datetime) -> Iterator[Loaded]:
    """Load a file in batches; after each one it yields the figures so far, always the same object.

    A line that cannot be used is refused alone. Loading a file again finds every fact duplicate.

    Raises:
        BadFactsFile: the file cannot be opened or read.
        DatabaseUnavailable: what was loaded so far stays; load the file again.
    """
    loaded = Loaded()
    numbered = enumerate(_lines(file), start=1)
    while batch := list(islice(numbered, BATCH)):
        facts = _facts(batch, loaded)
        with database.connection() as connection:
            try:
                with connection.transaction():
                    _store(connection, facts, loaded, received_at)
            except (psycopg.DataError, psycopg.IntegrityError):
                # One of them is something that the database cannot hold: find it.
                for one in facts:
                    _store_alone(connection, one, loaded, received_at)
        yield loaded
    if loaded.lines == 0:
        yield loaded


def _lines(file: Path) -> Iterator[bytes]:
    """The lines, each cut after LINE_BYTES_MAX + 1 bytes."""
    try:
        with file.open("rb") as lines:
            # Some programs put a mark in front of UTF-8.
            if lines.read(len(BOM_UTF8)) != BOM_UTF8:
                lines.seek(0)
            while line := lines.readline(LINE_BYTES_MAX + 1):
                yield line
                while not line.endswith(b"\n") and len(line) > LINE_BYTES_MAX:
                    line = lines.readline(LINE_BYTES_MAX + 1)
    except OSError as error:
        raise BadFactsFile(f"{file} cannot be read: {error.strerror}") from error


def _facts(batch: Sequence[tuple[int, bytes]], loaded: Loaded) -> list[tuple[int, Fact]]:
    facts = []
    for number, line in batch:
        if not line.strip():
            continue
        if len(line) > LINE_BYTES_MAX:
            loaded.refuse(number, f"line too long: more than {LINE_BYTES_MAX} bytes")
            continue
        try:
            fact = _read_fact(line)
        except ValidationError as error:
            loaded.refuse(number, explain(error))
            continue
        loaded.readable += 1
        reason = why_refused(fact)
        if reason is not None:
            loaded.refuse(number, reason)
            continue
        facts.append((number, fact))
    return facts


def _read_fact(line: bytes) -> Fact:
    try:
        return FACT_JSON.validate_json(line)
    except ValidationError:
        # Many programs write null for what is absent.
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict) or None not in said.values():
            raise
    given = {name: value for name, value in said.items() if value is not None or name == "value"}
    return FACT_JSON.validate_python(given, strict=False)


def _store(
    connection: Connection,
    facts: Sequence[tuple[int, Fact]],
    loaded: Loaded,
    received_at: datetime,
) -> None:
    made = add_missing_shops(connection, {fact.shop for _, fact in facts})
    said = [SaidFact(fact) for _, fact in facts]
    outcomes = insert_facts(connection, said, received_at=received_at)
    loaded.new_shops += made
    for (number, fact), outcome in zip(facts, outcomes, strict=True):
        if outcome == "new":
            loaded.new += 1
        elif outcome == "same":
            loaded.duplicate += 1
        else:
            told = f"{fact.id!r} was told before; a correction ends in ~2, the next in ~3"
            loaded.refuse(number, f"same id, other content: {told}")


def _store_alone(
    connection: Connection, one: tuple[int, Fact], loaded: Loaded, received_at: datetime
) -> None:
    try:
        with connection.transaction():
            _store(connection, [one], loaded, received_at)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        loaded.refuse(one[0], f"not storable: {' '.join(str(error).split())}")
