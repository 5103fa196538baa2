"""Export and import: nothing is captive. All or nothing, twice is once, damage is noticed."""

import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.audit.store import lines
from hub.errors import BadArchive
from hub.figures.keeping import refresh_one
from hub.figures.reading import read_series
from hub.figures.retention import kept_days, remove_old_facts, set_kept_days
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.keeping.archive import writing
from hub.keeping.exporting import export_hub, import_hub
from hub.people.roles import Scope
from hub.people.store import invite, people
from hub.scheduler import Scheduler
from hub.shops_store import Shop, save_shop
from hub.store.database import Database, migrations, open_database
from tests.hub.conftest import empty
from tests.hub.keeping.places import NOON, contents, empty_place, fill
from tests.hub.shop_facts import DAY, day_fact

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SAME_IN_BOTH = ("fact_ids", "policies", "receptions", "deals", "experiences", "undone_taps")


@pytest.fixture(scope="module")
def other(session_database: Database) -> Iterator[Database]:
    with empty_place(session_database, "other_hub") as url, open_database(url) as opened:
        yield opened


@pytest.fixture
def target(other: Database) -> Database:
    empty(other)
    return other


@pytest.fixture
def exported(database: Database, tmp_path: Path) -> Path:
    fill(database)
    file = tmp_path / "hub.tar.gz"
    export_hub(database, file, now=NOW)
    return file


def figures(database: Database) -> Any:
    with database.connection() as connection:
        return connection.execute(
            "select id, shop, metric, started_at, ended_at, value, low, high, n, coverage,"
            " independent, dims, method, source from facts order by id"
        ).fetchall()


def codes(database: Database) -> Any:
    with database.connection() as connection:
        return connection.execute(
            "select shop, dimension, day, colour, probability from codes where version = 1"
            " order by 1, 2, 3"
        ).fetchall()


def test_an_export_fills_an_empty_hub_and_twice_is_once(
    database: Database, target: Database, exported: Path
) -> None:
    done = import_hub(target, exported, now=NOW)
    assert figures(target) == figures(database)
    assert len(figures(target)) == done.parts["facts"].new == 16
    assert done.other_playbooks == []
    here, there = contents(database), contents(target)
    assert {name: there[name] for name in SAME_IN_BOTH if name != "policies"} == {
        name: here[name] for name in SAME_IN_BOTH if name != "policies"
    }
    with target.connection() as connection:
        assert [one.person.name for one in people(connection)] == ["Ann", "Li Wei"]
        assert not any(one.welcomed for one in people(connection))
        assert lines(connection)[0].what == "imported"

    again = import_hub(target, exported, now=NOW)
    assert {one.new for one in again.parts.values()} == {0}
    assert contents(target) | {"audit": None} == there | {
        "audit": None, "touched_days": contents(target)["touched_days"],
        "shops": contents(target)["shops"],
    }  # fmt: skip


def test_the_other_hub_comes_to_the_same_codes(
    database: Database, target: Database, exported: Path
) -> None:
    import_hub(target, exported, now=NOW)
    Scheduler(target).step(NOON)
    assert {row["day"] for row in codes(database)} == {row["day"] for row in codes(target)}
    assert codes(target) == codes(database)


def test_a_shop_of_no_time_zone_that_is_known_here_is_not_imported(
    database: Database, target: Database, tmp_path: Path
) -> None:
    with database.connection() as connection:
        save_shop(connection, Shop(shop="odd", timezone="Mars/Base"))
    export_hub(database, tmp_path / "odd.tar.gz", now=NOW)
    with pytest.raises(BadArchive, match="Mars/Base"):
        import_hub(target, tmp_path / "odd.tar.gz", now=NOW)


KEPT_NO_LONGER = day_fact("dwell_mean", DAY - timedelta(days=300), 7.0)


def forget_old_dwell(database: Database) -> None:
    """Keep dwell for 90 days, and have a fact of 300 days ago go."""
    start = KEPT_NO_LONGER.start
    quarter = replace(KEPT_NO_LONGER, id="quarter", end=start + timedelta(minutes=15))
    with database.connection() as connection:
        save_shop(connection, Shop(shop="17"))
        insert_facts(connection, [SaidFact(quarter)], received_at=start)
        set_kept_days(connection, "dwell_mean", 90)
    (removed,) = remove_old_facts(database, now=NOW)
    assert removed.facts == 1


def dwell(database: Database) -> list[float | None]:
    while refresh_one(database, now=datetime.now(UTC) + timedelta(minutes=1)) is not None:
        pass
    with database.connection() as connection:
        told = read_series(connection, "17", "dwell_mean", "day", DAY - timedelta(days=350), DAY,
                           now=NOW)  # fmt: skip
    return [one.value for one in told.figures]


def kept(database: Database) -> dict[str, int]:
    with database.connection() as connection:
        return kept_days(connection)


def test_how_long_facts_are_kept_comes_along_and_what_went_is_still_told(
    database: Database, target: Database, tmp_path: Path
) -> None:
    forget_old_dwell(database)
    file = tmp_path / "hub.tar.gz"
    counts = export_hub(database, file, now=NOW)
    assert (counts["kept_days"], counts["removed_figures"], counts["facts"]) == (1, 1, 0)
    import_hub(target, file, now=NOW)
    assert kept(target) == {"dwell_mean": 90}
    assert dwell(target) == dwell(database) == [7.0]
    again = import_hub(target, file, now=NOW)
    assert {one.new for one in again.parts.values()} == {0}


def test_no_fact_goes_that_this_hub_keeps_for_ever_and_none_counts_twice(
    database: Database, target: Database, tmp_path: Path
) -> None:
    forget_old_dwell(database)
    file = tmp_path / "hub.tar.gz"
    export_hub(database, file, now=NOW)
    with target.connection() as connection:
        save_shop(connection, Shop(shop="17"))
        insert_facts(connection, [SaidFact(KEPT_NO_LONGER)], received_at=NOW)
    import_hub(target, file, now=NOW)
    assert kept(target) == {}
    assert dwell(target) == [7.0]


def test_what_this_hub_was_told_to_keep_stays(
    database: Database, target: Database, tmp_path: Path
) -> None:
    forget_old_dwell(database)
    file = tmp_path / "hub.tar.gz"
    export_hub(database, file, now=NOW)
    with target.connection() as connection:
        set_kept_days(connection, "dwell_mean", 400)
    import_hub(target, file, now=NOW)
    assert kept(target) == {"dwell_mean": 400}


def _another_policy(database: Database) -> None:
    with database.connection() as connection:
        connection.execute(
            "insert into policies (version, name, starts_on, body)"
            " values (1, 'another', '2026-01-01', '{}')"
        )


def _another_fact(database: Database) -> None:
    with database.connection() as connection:
        connection.execute(
            "insert into fact_ids (id, sha256, started_at) values ('g-17-5', '\\x00', now())"
        )


def _another_role(database: Database) -> None:
    with database.connection() as connection:
        invite(connection, "li wei", Scope(role="head_office"))


@pytest.mark.parametrize(
    ("there", "named"),
    [(_another_policy, "version 1"), (_another_fact, "g-17-5"), (_another_role, "li wei")],
)
def test_what_contradicts_this_hub_changes_nothing_at_all(
    target: Database, exported: Path, there: Callable[[Database], None], named: str
) -> None:
    there(target)
    before = contents(target)
    with pytest.raises(BadArchive, match=named):
        import_hub(target, exported, now=NOW)
    assert contents(target) == before


def test_a_hub_that_holds_something_else_keeps_it(target: Database, exported: Path) -> None:
    with target.connection() as connection:
        save_shop(connection, Shop(shop="99", region="north"))
        connection.execute("insert into receptions (shop, id, at) values ('99', 'r0', %s)", [NOON])
    import_hub(target, exported, now=NOW)
    with target.connection() as connection:
        rows = connection.execute("select shop from receptions order by shop").fetchall()
    assert [row["shop"] for row in rows] == ["17", "17", "17", "99"]


def test_an_archive_that_was_cut_or_changed_is_refused(
    target: Database, exported: Path, tmp_path: Path
) -> None:
    before = contents(target)
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(exported.read_bytes()[:-200])
    nothing = tmp_path / "text.tar.gz"
    nothing.write_text("no archive")
    for file in (cut, nothing, tmp_path / "none"):
        with pytest.raises(BadArchive):
            import_hub(target, file, now=NOW)
    changed = tmp_path / "changed.tar.gz"
    with tarfile.open(exported) as tar, tarfile.open(changed, "w:gz") as out:
        for info in tar.getmembers():
            raw = tar.extractfile(info)
            assert raw is not None
            content = raw.read()
            if info.name == "facts.jsonl":
                content = content.replace(b'"17"', b'"18"')
            raw.close()
            kept = tmp_path / "member"
            kept.write_bytes(content)
            out.add(kept, arcname=info.name)
    with pytest.raises(BadArchive, match=r"facts\.jsonl was changed"):
        import_hub(target, changed, now=NOW)
    assert contents(target) == before


@pytest.mark.parametrize(
    ("member", "rows", "migration", "why"),
    [
        ("moods", [], 0, "not known here"),
        ("facts", [{"id": "x"}], 0, "facts.jsonl"),
        ("facts", [7], 0, "no object"),
        ("people", [{"name": "x"}], 0, "people.jsonl"),
        ("shops", [{"shop": "1", "mood": 1}], 0, "shops.jsonl"),
        ("deals", [{"shop": "17"}], 0, "columns"),
        ("kept_days", [{"metric": "dwell_mean", "days": 3}], 0, "too few"),
        ("kept_days", [{"metric": "dwell_mean"}], 0, "kept_days.jsonl"),
        ("receptions", [{"shop": "no shop", "id": "1", "at": "2026-01-01T00:00:00Z"}], 0,
         "contradicts"),
        ("shops", [], 9999, "newer"),
    ],
)  # fmt: skip
def test_an_archive_of_somebody_elses_making_is_held_to_the_rules(
    target: Database, tmp_path: Path, member: str, rows: list[Any], migration: int, why: str
) -> None:
    file = tmp_path / "made.tar.gz"
    number = migration or migrations()[-1][0]
    with writing(file, kind="export", migration=number, made_at=NOW) as archive:
        text = "".join(json.dumps(row) + "\n" for row in rows)
        archive.add_bytes(f"{member}.jsonl", text.encode())
    before = contents(target)
    with pytest.raises(BadArchive, match=why):
        import_hub(target, file, now=NOW)
    assert contents(target) == before


def test_an_export_names_no_secret(database: Database, exported: Path) -> None:
    with database.connection() as connection:
        connection.execute("update people set password = 'argon2-of-somebody'")
    again = exported.with_name("again.tar.gz")
    export_hub(database, again, now=NOW)
    with tarfile.open(again) as tar:
        for info in tar.getmembers():
            raw = tar.extractfile(info)
            assert raw is not None
            assert b"argon2-of-somebody" not in raw.read()
    assert oct(again.stat().st_mode)[-3:] == "600"


def test_a_file_that_is_there_is_not_written_over(database: Database, exported: Path) -> None:
    with pytest.raises(BadArchive, match="there already"):
        export_hub(database, exported, now=NOW)
