"""Open the hub's database: a URL, or a folder for the embedded one. Asks no question of its own."""

import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from hub.errors import BadDatabase, DatabaseUnavailable
from hub.people.roles import Session
from hub.store import postgres

Connection: TypeAlias = psycopg.Connection[DictRow]
TimescaleLevel = Literal["none", "apache", "community"]

DEFAULT_FOLDER: Final = "./data/hub"
DATABASE_ENVIRONMENT_NAME: Final = "STOREPULSE_DATABASE"
SESSIONS_ENVIRONMENT_NAME: Final = "STOREPULSE_API_DATABASE"
"""A login of its own for what people ask, by URL: a member of storepulse_api and nothing else."""
_SCHEMA: Final = "storepulse"
API_ROLE: Final = "storepulse_api"
"""Also the name of the schema with what it may read."""
_MIGRATION_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_MIGRATION_LOCK: Final = 7_405_813  # any number that nobody else takes for an advisory lock
_OLDEST_SERVER: Final = 150_000  # Debian 12 has 15; older ones were never tried
_CONNECTIONS_MAX: Final = 12
_CONNECT_S_MAX: Final = 10
WAIT_S_MAX: Final = 4.0
_RECONNECT_S_MAX: Final = 1.0
"""The pool's own tries, which it spaces ever wider; after it, each call tries at once."""

logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # its retries are told by our own errors
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Database:
    """An open, migrated database."""

    pool: ConnectionPool[Connection]
    place: str
    """Where it is, without a password: for people."""
    version: str
    timescale: TimescaleLevel
    """What TimescaleDB offers here. Where there was any as the tables were made, facts are a
    hypertable; plain PostgreSQL does the whole job."""
    embedded: postgres.Server | None
    session_pool: ConnectionPool[Connection]
    """Connections of the role storepulse_api."""

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """One transaction of the owner's: committed at the end, rolled back by an exception.

        Raises:
            DatabaseUnavailable: the server did not answer in time, or went away.
        """
        with self._taken_from(self.pool) as connection:
            yield connection

    @contextmanager
    def of_session(self, session: Session) -> Iterator[Connection]:
        """One transaction in which the database shows what this session may see, and no more.

        Tables are called as for the owner (`select ... from facts`) and mean the views of the
        schema storepulse_api. A session that has ended sees nothing.

        Raises:
            DatabaseUnavailable: the server did not answer in time, or went away.
        """
        with self.of_token(session.token_sha256) as connection:
            yield connection

    @contextmanager
    def of_token(self, token_sha256: bytes) -> Iterator[Connection]:
        """The same for a secret whose session, if there is one, is yet to be found."""
        with self._taken_from(self.session_pool) as connection:
            # For this transaction: the next one of the connection is somebody else's.
            connection.execute(
                "select set_config('storepulse.session', %s, true)", [token_sha256.hex()]
            )
            yield connection

    @contextmanager
    def _taken_from(self, pool: ConnectionPool[Connection]) -> Iterator[Connection]:
        try:
            with pool.connection() as connection:
                yield connection
        except (PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise DatabaseUnavailable(
                f"the database {self.place} does not answer: {_one_line(error)}"
            ) from error


def where(asked: str | None) -> str:
    """What --database says, else STOREPULSE_DATABASE, else ./data/hub."""
    return asked or os.environ.get(DATABASE_ENVIRONMENT_NAME) or DEFAULT_FOLDER


def beside(asked: str | None, name: str) -> Path:
    """A folder beside the embedded database; in ./data where the database is elsewhere."""
    place = where(asked)
    if "://" in place or "=" in place:
        return Path("data") / name
    return Path(place).parent / name


@contextmanager
def open_database(
    asked: str | None = None, *, wait_s_max: float = WAIT_S_MAX
) -> Iterator[Database]:
    """Open a database by URL or folder, bring its tables up to date, and close it at the end.

    Args:
        wait_s_max: for a free connection; longer means that all are busy, or the server is away.
    Raises:
        BadDatabase: no URL of PostgreSQL, a server that is too old, or no usable folder.
        DatabaseUnavailable: the server does not answer.
    """
    place = where(asked)
    server: postgres.Server | None = None
    if "://" in place or "=" in place:
        if not place.startswith(("postgresql://", "postgres://")):
            raise BadDatabase(
                f"{_without_password(place)} is no database: give postgresql://USER@HOST/NAME, "
                "or a folder"
            )
        conninfo, shown = place, _without_password(place)
        try:
            conninfo_to_dict(place)
        except psycopg.ProgrammingError as error:
            # Not in its words, which quote the whole of it.
            raise BadDatabase(
                f"{shown} cannot be read as postgresql://USER@HOST:PORT/NAME"
            ) from error
    else:
        server = postgres.attach(Path(place))
        conninfo, shown = server.conninfo(), str(server.folder)
    try:
        _try(conninfo, shown)
        with _pool(conninfo, wait_s_max, _as_owner, at_least=1) as pool:
            with pool.connection() as connection:
                version, level = _look(connection, shown)
                migrate(connection)
            asked_by_people = os.environ.get(SESSIONS_ENVIRONMENT_NAME) or conninfo
            with _pool(asked_by_people, wait_s_max, _as_session, at_least=0) as session_pool:
                yield Database(pool, shown, version, level, server, session_pool)
    finally:
        if server is not None:
            server.leave()


def _try(conninfo: str, shown: str) -> None:
    try:
        # One connection outside the pool first: its error says what is wrong, the pool's does not.
        with psycopg.connect(conninfo, connect_timeout=_CONNECT_S_MAX):
            pass
    except psycopg.Error as error:
        raise DatabaseUnavailable(
            f"the database {shown} does not answer: {_one_line(error)}"
        ) from error


@contextmanager
def _pool(
    conninfo: str, wait_s_max: float, configure: Callable[[Connection], None], *, at_least: int
) -> Iterator[ConnectionPool[Connection]]:
    with ConnectionPool(
        conninfo,
        connection_class=psycopg.Connection[DictRow],
        kwargs={"row_factory": dict_row, "connect_timeout": _CONNECT_S_MAX},
        min_size=at_least,
        max_size=_CONNECTIONS_MAX,
        timeout=wait_s_max,
        reconnect_timeout=_RECONNECT_S_MAX,
        configure=configure,
        # A connection that died with the server is noticed here and not in the middle of a batch.
        check=ConnectionPool.check_connection,
        open=True,
    ) as pool:
        yield pool


def _as_owner(connection: Connection) -> None:
    # Set here and not by an option of the connection, which poolers such as pgbouncer refuse.
    connection.execute(f"set search_path to {_SCHEMA}, public")
    connection.execute("set timezone to 'UTC'")
    connection.commit()


def _as_session(connection: Connection) -> None:
    connection.execute(f"set role {API_ROLE}")
    # Temporary tables last, not first as by default: nothing takes the place of a view.
    connection.execute(f"set search_path to {API_ROLE}, pg_temp")
    connection.execute("set timezone to 'UTC'")
    connection.commit()


def _look(connection: Connection, shown: str) -> tuple[str, TimescaleLevel]:
    if connection.info.server_version < _OLDEST_SERVER:
        raise BadDatabase(
            f"{shown} is PostgreSQL {connection.info.parameter_status('server_version')}; "
            f"{_OLDEST_SERVER // 10_000} or newer is needed"
        )
    row = connection.execute(
        "select current_setting('server_version') as version,"
        " current_setting('timescaledb.license', true) as license,"
        " exists (select from pg_extension where extname = 'timescaledb') as there"
    ).fetchone()
    assert row is not None
    level: TimescaleLevel = "none"
    if row["there"]:
        level = "apache" if row["license"] == "apache" else "community"
    return row["version"], level


def migrate(connection: Connection) -> list[str]:
    """Apply what has not been applied yet; each migration commits together with its own record.

    Returns:
        The names applied now, in order; empty when all was up to date.
    """
    connection.execute("select pg_advisory_xact_lock(%s)", [_MIGRATION_LOCK])
    connection.execute(f"create schema if not exists {_SCHEMA}")
    connection.execute(
        "create table if not exists migrations (number integer primary key, name text not null,"
        " applied_at timestamptz not null default now())"
    )
    connection.commit()
    applied = []
    for number, name, text in migrations():
        # Two processes may start at once: the second waits here and finds it done.
        connection.execute("select pg_advisory_xact_lock(%s)", [_MIGRATION_LOCK])
        found = connection.execute(
            "select name from migrations where number = %s", [number]
        ).fetchone()
        if found is None:
            connection.execute(text)
            connection.execute(
                "insert into migrations (number, name) values (%s, %s)", [number, name]
            )
            applied.append(name)
        connection.commit()
    return applied


def migrations() -> list[tuple[int, str, bytes]]:
    """Number, name and text of every migration, in order."""
    found = []
    for file in files("hub.store.migrations").iterdir():
        match = _MIGRATION_NAME.fullmatch(file.name)
        if match:
            found.append((int(match[1]), match[2], file.read_bytes()))
    return sorted(found)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _without_password(url: str) -> str:
    named = re.sub(r"(://[^:/@]*):[^@]*@", r"\1@", url)
    return re.sub(r"([?&]password=)[^&]*", r"\1...", named)
