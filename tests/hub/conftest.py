"""A real database for the hub's tests: one server for the whole session, empty for each test."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.database import Database, open_database


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that root's lower user can reach, too: pytest closes tmp_path to others."""
    folder = Path(tempfile.mkdtemp(prefix="storepulse-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def session_database(open_folder: Path) -> Iterator[Database]:
    with open_database(str(open_folder / "hub")) as opened:
        with opened.connection() as connection:
            connection.commit()
            connection.autocommit = True
            # Nobody pulls the plug on these tests; those that kill a server have their own.
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                connection.execute(f"alter system set {setting} = off")
            connection.execute("select pg_reload_conf()")
            connection.autocommit = False
        yield opened


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
