"""A real database for the hub's tests: one server for the whole session, empty for each test."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from hub import postgres
from hub.database import Database, open_database

# Nobody pulls the plug on a test.
NO_SYNC = {**postgres.SETTINGS, "fsync": "off", "full_page_writes": "off"}


@pytest.fixture(scope="session")
def no_sync() -> Mapping[str, str]:
    """Settings of a server whose data need not outlive the machine."""
    return NO_SYNC


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that root's lower user can reach, too: pytest closes tmp_path to others."""
    folder = Path(tempfile.mkdtemp(prefix="storepulse-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def session_database(open_folder: Path) -> Iterator[Database]:
    seat = postgres.attach(open_folder / "hub", settings=NO_SYNC)
    with open_database(str(open_folder / "hub")) as opened:
        yield opened
    seat.leave()


@pytest.fixture
def database(session_database: Database) -> Database:
    """The session's database, emptied."""
    with session_database.connection() as connection:
        rows = connection.execute(
            "select string_agg(format('%I', relname), ', ') as tables from pg_class"
            " where relnamespace = 'storepulse'::regnamespace and relkind in ('r', 'p')"
            " and not relispartition and relname <> 'migrations'"
        ).fetchone()
        assert rows is not None
        connection.execute(f"truncate {rows['tables']} restart identity cascade")
    return session_database
