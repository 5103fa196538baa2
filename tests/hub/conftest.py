"""A real database for the hub's tests: one for the whole session, empty for each test."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from psycopg import sql

from hub.store import postgres
from hub.store.database import Database, open_database
from storepulse.units import GIB
from tests.hub import servers

# Nobody pulls the plug on a test.
NO_SYNC = {**postgres.SETTINGS, "fsync": "off", "full_page_writes": "off"}


@pytest.fixture(scope="session")
def no_sync() -> Mapping[str, str]:
    """Settings of a server whose data need not outlive the machine."""
    return NO_SYNC


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that root's lower user can reach, too: pytest closes tmp_path to others."""
    folder = Path(tempfile.mkdtemp(prefix="storepulse-test-", dir=_memory()))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def _memory() -> Path | None:
    """Where files are memory, if there is room: half a dozen databases are ten thousand files."""
    there = Path("/dev/shm")
    roomy = os.access(there, os.W_OK | os.X_OK) and shutil.disk_usage(there).free > 2 * GIB
    return there if roomy else None


@pytest.fixture(scope="session")
def session_database(open_folder: Path) -> Iterator[Database]:
    """Of the embedded server, or of the one that `tests.hub.servers` was told of."""
    if servers.ASKED is not None:
        with (
            servers.new_database(servers.ASKED, f"hub_test_{os.getpid()}") as url,
            open_database(url) as opened,
        ):
            yield opened
        return
    seat = postgres.attach(open_folder / "hub", settings=NO_SYNC)
    with open_database(str(open_folder / "hub")) as opened:
        yield opened
        # At once: nobody needs what an orderly shutdown would write.
        os.kill(seat.pid, signal.SIGQUIT)
    seat.leave()


@pytest.fixture
def database(session_database: Database) -> Database:
    """The session's database, emptied."""
    empty(session_database)
    return session_database


def empty(database: Database) -> None:
    """Delete every row but those of the migrations."""
    with database.connection() as connection:
        # Deleted, not truncated: each test would make and remove a hundred files. As a replica, so
        # that neither order nor triggers matter.
        connection.execute("set local session_replication_role = replica")
        rows = connection.execute(
            "select nspname, relname, relkind"
            " from pg_class join pg_namespace as home on home.oid = relnamespace"
            " where nspname in ('storepulse', 'storepulse_care')"
            " and relkind in ('r', 'p', 'S') and not relispartition and relname <> 'migrations'"
        )
        for row in rows.fetchall():
            name = sql.Identifier(row["nspname"], row["relname"])
            empty = "alter sequence {} restart" if row["relkind"] == "S" else "delete from {}"
            connection.execute(sql.SQL(empty).format(name))
