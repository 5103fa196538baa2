"""Export what a hub knows and was told, and import it into another: all or nothing, twice is once.

One snapshot, a file of JSON lines for each part (`hub.keeping.parts`), in an archive with
checksums. Left out: passwords, sessions, keys and certificates (each hub has its own), codes and
actions (computed anew from facts and policies), pictures. `hub.keeping.backing` keeps those, too.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from hub.audit import record
from hub.codes.days import UnknownTimezone, zone
from hub.errors import BadArchive
from hub.figures.retention import BadKeeping, kept_days, set_kept_days
from hub.ingest.fact_rules import why_refused
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.keeping.archive import Reading, Writing, reading, writing
from hub.keeping.parts import BY_NAME, FACTS, ORDER, PEOPLE, SHOPS, TABLES, TablePart
from hub.people.roles import Scope, name_key
from hub.people.store import invite, people
from hub.shops_store import Shop, add_missing_shops, save_shop, shops
from hub.store.database import Connection, Database, migrations
from storepulse.facts import FACT_JSON, Fact
from storepulse.wire import explain

_ROWS_AT_ONCE: Final = 2000
_FACT_COLUMNS: Final = (
    "id", "shop", "metric", "value", "low", "high", "n", "coverage", "independent", "dims",
    "method", "source",
)  # fmt: skip


@dataclass(slots=True)
class Counted:
    """What became of a part's rows."""

    rows: int = 0
    new: int = 0


@dataclass(slots=True)
class Imported:
    """What an import did."""

    parts: dict[str, Counted] = field(default_factory=dict)
    other_playbooks: list[str] = field(default_factory=list)
    """Texts that come with storepulse and are not those of this version: this hub's own stay."""


def export_hub(database: Database, file: Path, *, now: datetime) -> dict[str, int]:
    """Write everything into a new file; returns the number of rows of each part.

    Raises:
        BadArchive: the file cannot be written.
    """
    counts: dict[str, int] = {}
    newest = migrations()[-1][0]
    with (
        database.connection() as connection,
        writing(file, kind="export", migration=newest, made_at=now) as archive,
    ):
        # Everything as of one moment, whatever comes in meanwhile.
        connection.execute("set transaction isolation level repeatable read read only")
        counts[SHOPS] = _add(archive, SHOPS, (asdict(one) for one in shops(connection)))
        for part in TABLES:
            if _is_there(connection, part):
                counts[part.name] = _add(archive, part.name, _rows_of(connection, part))
        counts[PEOPLE] = _add(archive, PEOPLE, _rights(connection))
        counts[FACTS] = _add(archive, FACTS, _facts(connection))
        for name, text in _own_playbooks().items():
            archive.add_bytes(f"texts/{name}", text)
    return counts


def _add(archive: Writing, name: str, rows: Iterator[Mapping[str, Any]]) -> int:
    count = 0
    with tempfile.TemporaryFile() as lines:
        for row in rows:
            lines.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            count += 1
        archive.add(f"{name}.jsonl", lines, rows=count)
    return count


def _is_there(connection: Connection, part: TablePart) -> bool:
    row = connection.execute("select to_regclass(%s) as there", [f"storepulse.{part.table}"])
    found = row.fetchone()
    return found is not None and found["there"] is not None


def _rows_of(connection: Connection, part: TablePart) -> Iterator[dict[str, Any]]:
    query = sql.SQL(
        "select to_jsonb(t) - %s::text[] as said from {} t where {} order by {}"
    ).format(sql.Identifier(part.table), sql.SQL(part.only), _names(part.key))
    with connection.cursor(name="exported") as cursor:
        for row in cursor.execute(query, [list(part.leave_out)]):
            yield row["said"]


def _rights(connection: Connection) -> Iterator[dict[str, Any]]:
    for one in people(connection):
        if one.ended_at is None:
            person = one.person
            yield {
                "name": person.name, "role": person.role, "regions": list(person.regions),
                "shops": list(person.shops),
            }  # fmt: skip


def _facts(connection: Connection) -> Iterator[dict[str, Any]]:
    with connection.cursor(name="exported_facts") as cursor:
        cursor.itersize = _ROWS_AT_ONCE
        for row in cursor.execute("select * from facts order by started_at, id"):
            said = {name: row[name] for name in _FACT_COLUMNS}
            yield said | {
                "start": row["started_at"].astimezone(UTC).isoformat(),
                "end": row["ended_at"].astimezone(UTC).isoformat(),
            }


def _own_playbooks() -> dict[str, bytes]:
    """The texts that came with this version of storepulse."""
    return {
        one.name: one.read_bytes()
        for one in sorted(files("hub.playbooks").iterdir(), key=lambda one: one.name)
        if one.name.endswith(".md")
    }


def import_hub(database: Database, file: Path, *, now: datetime) -> Imported:
    """Take everything of a file into this hub, which may hold something already.

    What is there in the same words counts as the same; what contradicts it (another policy of a
    version, another fact of an id, another role of a person) stops the import, and nothing of it
    is kept. People come without passwords: `storepulse hub people link` for each.

    Raises:
        BadArchive: damaged, of a newer storepulse, or contradicting; the text says where.
    """
    with reading(file, kind="export") as archive:
        newest = migrations()[-1][0]
        if archive.manifest.migration > newest:
            raise BadArchive(
                f"{file} was written by storepulse {archive.manifest.storepulse}, which is newer "
                "than this one: update first"
            )
        names = {
            name.removesuffix(".jsonl") for name in archive.manifest.members if "/" not in name
        }
        if unknown := names - set(ORDER):
            raise BadArchive(f"{file} holds {', '.join(sorted(unknown))}, which is not known here")
        done = Imported()
        try:
            with database.connection() as connection:
                for name in ORDER:
                    if name in names:
                        done.parts[name] = _take_part(connection, archive, name, now)
                counts = {name: one.new for name, one in done.parts.items()}
                record(connection, what="imported", about="hub:archive", detail=counts)
        except psycopg.IntegrityError as error:
            raise BadArchive(
                f"{file} contradicts this hub: {error.diag.message_primary}"
            ) from error
        except psycopg.DataError as error:
            raise BadArchive(f"{file} cannot be stored: {error.diag.message_primary}") from error
        own = _own_playbooks()
        for name in archive.manifest.members:
            text = name.removeprefix("texts/")
            if text != name and own.get(text) != archive.open(name).read():
                done.other_playbooks.append(text)
        return done


def _take_part(connection: Connection, archive: Reading, name: str, now: datetime) -> Counted:
    counted = Counted()
    with archive.open(f"{name}.jsonl") as lines:
        rows = _lines(lines, name)
        while some := list(islice(rows, _ROWS_AT_ONCE)):
            counted.rows += len(some)
            match name:
                case "shops":
                    counted.new += _take_shops(connection, some)
                case "people":
                    counted.new += _take_people(connection, some)
                case "facts":
                    counted.new += _take_facts(connection, some, now)
                case "kept_days":
                    counted.new += _take_kept_days(connection, some)
                case _:
                    counted.new += _take_rows(connection, BY_NAME[name], some)
    return counted


def _lines(lines: IO[bytes], name: str) -> Iterator[dict[str, Any]]:
    for n, line in enumerate(lines, 1):
        try:
            said = json.loads(line)
        except ValueError as error:
            raise BadArchive(f"{name}.jsonl, line {n}: no JSON") from error
        if not isinstance(said, dict):
            raise BadArchive(f"{name}.jsonl, line {n}: no object")
        yield said


def _take_shops(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    new = 0
    for row in rows:
        try:
            shop = Shop(**row)
            # One that this machine does not know would hold up the codes of all shops.
            zone(shop.timezone)
        except (TypeError, UnknownTimezone) as error:
            raise BadArchive(f"shops.jsonl: {error}") from error
        if shop.assigned:
            new += save_shop(connection, shop)
        else:
            new += len(add_missing_shops(connection, [shop.shop]))
    return new


def _take_people(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    here = {name_key(one.person.name): one for one in people(connection) if one.ended_at is None}
    new = 0
    for row in rows:
        try:
            scope = Scope(
                role=row["role"], regions=tuple(row["regions"]), shops=tuple(row["shops"])
            )
            known = here.get(name_key(row["name"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise BadArchive(f"people.jsonl: {error!r}") from error
        if known is None:
            invite(connection, row["name"], scope, who="import")
            new += 1
            continue
        person = known.person
        if (person.role, set(person.regions), set(person.shops)) != (
            scope.role, set(scope.regions), set(scope.shops),
        ):  # fmt: skip
            raise BadArchive(
                f"{person.name} is {person.role} here and {scope.role} in the file, or sees other "
                "shops: change one of them first"
            )
    return new


def _take_facts(connection: Connection, rows: Sequence[Mapping[str, Any]], now: datetime) -> int:
    facts: list[Fact] = []
    for row in rows:
        try:
            fact = FACT_JSON.validate_python(row, strict=False)
        except ValueError as error:
            raise BadArchive(f"facts.jsonl: {explain(error)}") from error  # type: ignore[arg-type]
        why = why_refused(fact)
        if why is not None:
            raise BadArchive(f"facts.jsonl: fact {fact.id}: {why}")
        facts.append(fact)
    outcomes = insert_facts(connection, [SaidFact(fact) for fact in facts], received_at=now)
    for fact, outcome in zip(facts, outcomes, strict=True):
        if outcome == "other":
            raise BadArchive(f"fact {fact.id} says something else here: nothing was imported")
    return outcomes.count("new")


def _take_kept_days(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Take how long facts are kept, but have none erased that this hub keeps for ever."""
    here, new = kept_days(connection), 0
    for row in rows:
        try:
            metric, days = row["metric"], row["days"]
            if metric not in here and not _has_facts_of(connection, metric):
                set_kept_days(connection, metric, days)
                new += 1
        except (KeyError, TypeError, BadKeeping) as error:
            raise BadArchive(f"kept_days.jsonl: {error}") from error
    return new


def _has_facts_of(connection: Connection, metric: str) -> bool:
    row = connection.execute(
        "select exists (select from shops where exists (select from facts"
        " where facts.shop = shops.shop and facts.metric = %s)) as there",
        [metric],
    ).fetchone()
    return row is not None and bool(row["there"])


def _take_rows(connection: Connection, part: TablePart, rows: Sequence[Mapping[str, Any]]) -> int:
    if not _is_there(connection, part):
        raise BadArchive(f"this hub has no place for {part.name}: update storepulse first")
    columns = [name for name in rows[0] if name not in part.leave_out]
    if any(set(row) != set(rows[0]) for row in rows) or not set(part.key) <= set(columns):
        raise BadArchive(f"{part.name}.jsonl: the rows do not have the same columns")
    table, said = sql.Identifier(part.table), Jsonb(list(rows))
    if part.meeting == "refuse":
        met = connection.execute(
            sql.SQL(
                "select to_jsonb(said) as said"
                " from jsonb_populate_recordset(null::{table}, %s) said"
                " join {table} here using ({key})"
                " where ({said}) is distinct from ({here}) limit 1"
            ).format(
                table=table, key=_names(part.key), said=_names(columns, of="said"),
                here=_names(columns, of="here"),
            ),
            [said],
        ).fetchone()  # fmt: skip
        if met is not None:
            key = ", ".join(f"{name} {met['said'][name]}" for name in part.key)
            raise BadArchive(f"{part.name}: {key} says something else here: nothing was imported")
    done = connection.execute(
        sql.SQL(
            "insert into {table} ({names})"
            " select {names} from jsonb_populate_recordset(null::{table}, %s) said"
            " where not {unless} on conflict ({key}) do nothing"
        ).format(
            table=table, names=_names(columns), key=_names(part.key), unless=sql.SQL(part.unless)
        ),
        [said],
    )
    return done.rowcount


def _names(names: Sequence[str], *, of: str = "") -> sql.Composed:
    found = [sql.Identifier(of, name) if of else sql.Identifier(name) for name in names]
    return sql.SQL(", ").join(found)
