"""The node's one SQLite file and the lock on its folder. Knows nothing of what the rows mean."""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Final

from edge.errors import DataDamaged, DataInUse, DiskFull
from storepulse.errors import StorepulseError, Unavailable
from storepulse.units import MIB

FILE_NAME: Final = "node.sqlite"
LOCK_NAME: Final = "node.lock"
OPENING_NAME: Final = "opening.lock"
MIGRATIONS: Final = (
    "0001_start.sql", "0002_phones.sql", "0003_pictures.sql", "0004_after.sql",
    "0005_withdrawn.sql", "0006_push.sql", "0007_ticket.sql", "0008_staff.sql",
    "0009_rounds.sql",
    "0010_prices.sql", "0011_forgetting.sql",
)  # fmt: skip
_CHECK_WHOLE_BELOW_BYTES: Final = 64 * MIB
"""A larger file is not read through at start: on a slow card that would take minutes."""
_FULL: Final = frozenset({sqlite3.SQLITE_FULL})
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_NOT_WRITTEN: Final = frozenset(
    {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
)
_PRIMARY_CODE: Final = 0xFF


def hold(folder: Path) -> int:
    """Take the folder for this process; the lock ends with the process, however it ends.

    Returns:
        The file descriptor that holds the lock; closing it gives the folder back.
    Raises:
        DataInUse: another node holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    held = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(held)
        raise DataInUse(
            f"another node is running on {folder}: stop it first, or give this one its own --data"
        ) from error
    return held


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Wait for one's turn among the processes that open the same file."""
    held = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


class Disk:
    """Transactions on one SQLite file (WAL, synchronous=FULL): committed means on the disk.

    Safe to use from several threads: they take turns. Other processes may read and append at the
    same time; SQLite keeps the transactions apart.
    """

    def __init__(self, folder: Path) -> None:
        """Open or make the file.

        Raises:
            DataDamaged: it is no whole database.
            DiskFull, Unavailable: it cannot be made or written.
        """
        self.path = folder / FILE_NAME
        self._turn = threading.RLock()
        self._depth = 0
        self._listeners: list[Callable[[], None]] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"the data folder {folder} cannot be made: {error}") from error
        # Two that make the file at once would both make its tables.
        with _alone(folder / OPENING_NAME), self._explained():
            self._db = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False, timeout=10
            )
            try:
                self._open()
            except BaseException:
                self._db.close()
                raise

    def _open(self) -> None:
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        self._db.execute("pragma foreign_keys = on")
        if self.path.stat().st_size < _CHECK_WHOLE_BELOW_BYTES:
            verdict = self._db.execute("pragma quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise self._damaged(str(verdict))
        done = self._db.execute("pragma user_version").fetchone()[0]
        if done > len(MIGRATIONS):
            raise DataDamaged(
                f"{self.path} was written by a newer version (schema {done}, this one knows "
                f"{len(MIGRATIONS)}): run that version, or give this one its own --data"
            )
        for number, name in enumerate(MIGRATIONS[done:], start=done + 1):
            sql = resources.files("edge").joinpath(name).read_text(encoding="utf-8")
            self._db.executescript(f"begin immediate; {sql}; pragma user_version = {number}; end;")

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each commit, from the thread that committed."""
        self._listeners.append(listener)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, and on the disk when the block ends; an inner block joins the outer one.

        Raises:
            DiskFull: no room; nothing of the block was kept.
            DataDamaged: the file is no whole database any more.
        """
        with self._turn, self._explained():
            if self._depth:
                yield self._db
                return
            self._db.execute("begin immediate")
            self._depth = 1
            try:
                yield self._db
                self._db.execute("commit")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise
            finally:
                self._depth = 0
        for listener in self._listeners:
            listener()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read what was committed; the block must not write."""
        with self._turn, self._explained():
            yield self._db

    def close(self) -> None:
        """Give the file back."""
        with self._turn:
            self._db.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._explain(error) from error

    def _explain(self, error: sqlite3.Error) -> StorepulseError:
        code = (getattr(error, "sqlite_errorcode", None) or 0) & _PRIMARY_CODE
        if code in _FULL:
            return DiskFull(
                f"no room to write {self.path}: nothing was lost, but nothing more can be kept "
                "until space is made on this disk"
            )
        if code in _DAMAGED:
            return self._damaged(str(error))
        if code in _NOT_WRITTEN:
            return Unavailable(f"{self.path} cannot be read or written: {error}")
        return StorepulseError(f"{self.path}: {error}")

    def _damaged(self, what: str) -> DataDamaged:
        return DataDamaged(
            f"{self.path} is damaged ({what}): check the disk, move the file away and start "
            "again; the node then begins a new epoch, and what the old file holds unsent can be "
            "read with `sqlite3 FILE .recover`"
        )
