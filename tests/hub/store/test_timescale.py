"""Where TimescaleDB is: facts in chunks, brought there, kept there, and shut to who may not.

Not run on the embedded PostgreSQL, which has no TimescaleDB: docs/timescaledb.md.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub.errors import BadDatabase
from hub.ingest.facts_store import SaidFact, facts_of_days, insert_facts
from hub.keeping.backing import back_up, restore
from hub.keeping.exporting import export_hub, import_hub
from hub.store import database as store
from hub.store.database import Database, open_database
from tests.hub import servers
from tests.hub.keeping.places import contents, empty_place, fill
from tests.hub.servers import kind_of_facts, new_database, parts_of_facts, url_of
from tests.hub.shop_facts import DAY, goods, midnight
from tests.hub.staff import session_for

if servers.ASKED is None:
    pytest.skip("no such server was named: docs/timescaledb.md", allow_module_level=True)

NOW = midnight(DAY) + timedelta(hours=12)


@pytest.fixture
def timescale(database: Database) -> Database:
    """The database, if it has TimescaleDB."""
    if database.timescale == "none":
        pytest.skip("the server that was named has no TimescaleDB")
    return database


BY_NAME = "(select oid::regclass from pg_class where relname = 'facts' and relkind = 'r')"
TRIES = {
    "drop chunks": f"select public.drop_chunks({BY_NAME}, older_than => now())",
    "chunks of another length": f"select public.set_chunk_time_interval({BY_NAME}, interval '1h')",
    "a dimension by shop": f"select public.add_dimension({BY_NAME}, public.by_hash('shop', 2))",
    "a restore that is none": "select public.timescaledb_pre_restore()",
    "a job of one's own": "select public.add_job('pg_sleep', '1h')",
    "a tablespace": f"select public.attach_tablespace('pg_default', {BY_NAME})",
}


@pytest.mark.parametrize("text", TRIES.values(), ids=TRIES)
def test_the_extension_s_own_doors_are_shut(timescale: Database, text: str) -> None:
    fill(timescale)
    session, _ = session_for(timescale, "head_office")
    before = parts_of_facts(timescale)
    with (
        pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported)),
        timescale.of_session(session) as connection,
    ):
        connection.execute(text)  # type: ignore[call-overload]
    assert parts_of_facts(timescale) == before


def facts_in(database: Database) -> Any:
    with database.connection() as connection:
        return facts_of_days(connection, DAY - timedelta(days=800), DAY)


@pytest.fixture
def older(timescale: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a hub with TimescaleDB and facts, from before facts went into chunks."""
    with monkeypatch.context() as patched, empty_place(timescale, "hub_of_before") as url:
        all_of_them = store.migrations()
        patched.setattr(store, "migrations", lambda: all_of_them[:22])
        with open_database(url) as opened:
            fill(opened)
        patched.undo()
        yield url


def test_facts_of_an_older_hub_move_into_chunks_and_touch_no_day(older: str) -> None:
    with psycopg.connect(older) as connection:
        seen = "select * from storepulse.facts order by id"
        before = connection.execute(seen).fetchall()  # type: ignore[call-overload]
        waiting = connection.execute("select count(*) from storepulse.touched_figures").fetchone()
    with open_database(older) as opened:
        assert kind_of_facts(opened) == "hypertable"
        with psycopg.connect(older) as connection:
            assert connection.execute(seen).fetchall() == before  # type: ignore[call-overload]
            query = "select count(*) from storepulse.touched_figures"
            assert connection.execute(query).fetchone() == waiting
        session, _ = session_for(opened, "region", regions=["west"], name="West")
        with opened.of_session(session) as mine:
            rows = mine.execute("select distinct shop from facts").fetchall()
        assert rows == [{"shop": "18"}]
        with opened.connection() as connection:
            late = goods(DAY - timedelta(days=500), 0.5, shop="17", id="late")
            assert insert_facts(connection, [SaidFact(late)], received_at=NOW) == ["new"]
            touched = connection.execute("select count(*) as n from touched_figures").fetchone()
        assert waiting is not None
        assert touched == {"n": waiting[0] + 1}


def test_an_extension_that_is_made_later_changes_nothing(timescale: Database) -> None:
    with new_database(url_of(timescale), "hub_before", extension=False) as url:
        with open_database(url) as opened:
            assert opened.timescale == "none"
            fill(opened)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("create extension timescaledb")
        with open_database(url) as opened:
            assert opened.timescale == timescale.timescale
            assert kind_of_facts(opened) == "partitions"
            with opened.connection() as connection:
                late = goods(DAY - timedelta(days=500), 0.5, shop="17", id="late")
                assert insert_facts(connection, [SaidFact(late)], received_at=NOW) == ["new"]


def test_a_backup_with_chunks_comes_back_with_chunks(timescale: Database, tmp_path: Path) -> None:
    fill(timescale)
    before = contents(timescale)
    file = tmp_path / "hub.tar"
    back_up(url_of(timescale), None, file, now=datetime.now(UTC))
    with empty_place(timescale, "chunks_back") as url:
        restore(file, url, None)
        with open_database(url) as back:
            assert contents(back) == before
            assert kind_of_facts(back) == "hypertable"
            with back.connection() as connection:
                late = [
                    goods(DAY - timedelta(days=days), 0.5, shop="17", id=f"late-{days}")
                    for days in (1, 500)
                ]
                outcomes = insert_facts(
                    connection, [SaidFact(one) for one in late], received_at=NOW
                )
                assert outcomes == ["new", "new"]
            assert len(parts_of_facts(back)) == len(parts_of_facts(timescale)) + 1
    with pytest.raises(BadDatabase, match="here there is none"):
        restore(file, str(tmp_path / "plain"), None)


def test_a_hub_moves_into_timescaledb_by_its_export(timescale: Database, tmp_path: Path) -> None:
    with (
        new_database(url_of(timescale), "hub_plain", extension=False) as url,
        open_database(url) as plain,
    ):
        fill(plain)
        export_hub(plain, tmp_path / "hub.tar.gz", now=NOW)
        import_hub(timescale, tmp_path / "hub.tar.gz", now=NOW)
        assert facts_in(timescale) == facts_in(plain)
        assert kind_of_facts(timescale) == "hypertable"
