"""Back up a hub whole, and restore it: the database by pg_dump in one snapshot, and the pictures.

The archive holds what signs people in (as checksums) and webhooks' secrets: keep it like the
hub itself. The authority's key is not in it (docs/operators.md says how to keep that).
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from hub.errors import BadArchive, BadDatabase, DatabaseUnavailable
from hub.keeping.archive import reading, writing
from hub.store import postgres
from hub.store.database import API_ROLE, migrations, open_database, where
from hub.store.postgres_home import client_programs

_DUMP: Final = "database.dump"
_BLOBS: Final = "blobs/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a backup holds, or a restore brought back."""

    database_bytes: int
    pictures: int


def back_up(conninfo: str, blobs: Path | None, file: Path, *, now: datetime) -> Kept:
    """Write the whole database, as of one moment, and the pictures into a new file.

    The hub may run meanwhile: it waits for nothing.

    Args:
        conninfo: how the database is reached by pg_dump.
        blobs: the pictures' folder; None leaves them out.
    Raises:
        BadArchive: the file cannot be written.
        DatabaseUnavailable: pg_dump failed; its own words are quoted.
    """
    pictures = 0
    with (
        writing(file, kind="backup", migration=migrations()[-1][0], made_at=now) as archive,
        tempfile.TemporaryDirectory(prefix=".backup-", dir=file.absolute().parent) as making,
    ):
        dump = Path(making) / _DUMP
        _run("pg_dump", conninfo, "--format=custom", "--no-owner", f"--file={dump}")
        with dump.open("rb") as content:
            archive.add(_DUMP, content)
        # After the dump: every picture that it names was there then.
        for path in _pictures(blobs):
            try:
                content = path.open("rb")
            except FileNotFoundError:
                continue  # removed for its age meanwhile
            with content:
                archive.add(_BLOBS + "/".join(path.parts[-3:]), content)
            pictures += 1
        size = dump.stat().st_size
    return Kept(database_bytes=size, pictures=pictures)


def _pictures(blobs: Path | None) -> Iterator[Path]:
    if blobs is not None and blobs.is_dir():
        yield from sorted(path for path in blobs.glob("*/*/*.jpg") if path.is_file())


def restore(file: Path, database: str | None, blobs: Path | None) -> Kept:
    """Bring a backup back into an empty place, and its tables up to this version.

    Args:
        database: a folder that is new, or a URL of a database without any table of a hub.
        blobs: where the pictures go; None leaves them in the file.
    Raises:
        BadArchive: damaged, no backup, or of a newer storepulse. Nothing was restored.
        BadDatabase: there is a hub already, or it cannot have TimescaleDB, which the backup needs.
        DatabaseUnavailable: pg_restore failed; its own words are quoted. Nothing was restored.
    """
    with reading(file, kind="backup") as archive:
        if archive.manifest.migration > migrations()[-1][0]:
            raise BadArchive(
                f"{file} was written by storepulse {archive.manifest.storepulse}, which is newer "
                "than this one: update first"
            )
        names = [_picture_of(name) for name in archive.manifest.members if name != _DUMP]
        with _empty_database(database) as conninfo, tempfile.NamedTemporaryFile() as dump:
            with archive.open(_DUMP) as content:
                shutil.copyfileobj(content, dump)
            dump.flush()
            with _ready_for(dump.name, conninfo):
                _run(
                    "pg_restore", conninfo, "--no-owner", "--single-transaction",
                    "--exit-on-error", dump.name,
                )  # fmt: skip
        if blobs is not None:
            for name in names:
                path = blobs / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(_BLOBS + str(name)) as content, path.open("wb") as written:
                    shutil.copyfileobj(content, written)
        size = archive.manifest.members[_DUMP].bytes
    with open_database(database):  # up to this version
        pass
    return Kept(database_bytes=size, pictures=len(names) if blobs is not None else 0)


def _picture_of(name: str) -> PurePosixPath:
    """Where a picture goes; an archive of somebody else's must not write elsewhere."""
    path = PurePosixPath(name.removeprefix(_BLOBS))
    climbs = any(part in ("", ".", "..") for part in path.parts)
    if not name.startswith(_BLOBS) or path.is_absolute() or climbs or len(path.parts) != 3:
        raise BadArchive(f"{name} has no place in a backup")
    return path


@contextmanager
def _empty_database(database: str | None) -> Iterator[str]:
    place = where(database)
    if "://" in place or "=" in place:
        _check_empty(place, place.rsplit("@", 1)[-1])
        yield place
        return
    with postgres.attach(Path(place)) as server:
        _check_empty(server.conninfo(), place)
        yield server.conninfo()


def _check_empty(conninfo: str, shown: str) -> None:
    try:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            found = connection.execute("select to_regnamespace('storepulse')").fetchone()
            if found is not None and found[0] is not None:
                raise BadDatabase(
                    f"there is a hub in {shown} already: restore into a new folder or database"
                )
            # Of the server, not of a database: no dump holds it.
            row = connection.execute(
                "select 1 from pg_roles where rolname = %s", [API_ROLE]
            ).fetchone()
            if row is None:
                connection.execute(f"create role {API_ROLE} nologin")
                # An owner who is no superuser must be able to become it, as migration 7 has it.
                with suppress(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"grant {API_ROLE} to current_user")
            # Its own of the dump would meet this one.
            connection.execute(f"drop schema if exists {API_ROLE}")
    except psycopg.Error as error:
        raise DatabaseUnavailable(f"the database {shown}: {error}".strip()) from error


@contextmanager
def _ready_for(dump: str, conninfo: str) -> Iterator[None]:
    """Have TimescaleDB step aside while a dump that holds it is restored, as it asks for."""
    listed = subprocess.run(
        [client_programs() / "pg_restore", "--list", dump],
        capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    if listed.returncode != 0:
        # Of a newer PostgreSQL, say: in its words, and not as a fault of ours.
        raise DatabaseUnavailable(f"pg_restore failed: {' '.join(listed.stderr.split())[-500:]}")
    if " EXTENSION - timescaledb" not in listed.stdout:
        yield
        return
    with psycopg.connect(conninfo, autocommit=True) as connection:
        try:
            connection.execute("create extension if not exists timescaledb")
        except psycopg.Error as error:
            raise BadDatabase(
                "this backup is of a database with TimescaleDB, and here there is none: restore "
                "into a server that has it, or move by `storepulse hub export` and `import`: "
                f"{error.diag.message_primary}"
            ) from error
        row = connection.execute(
            "select quote_ident(nspname) from pg_extension"
            " join pg_namespace on pg_namespace.oid = extnamespace where extname = 'timescaledb'"
        ).fetchone()
        assert row is not None
        connection.execute(f"select {row[0]}.timescaledb_pre_restore()")
    try:
        yield
    finally:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(f"select {row[0]}.timescaledb_post_restore()")


def _run(program: str, conninfo: str, *words: str) -> None:
    said = conninfo_to_dict(conninfo)
    # In the environment, which others of this machine do not see; its arguments they do.
    secret = {"PGPASSWORD": str(said.pop("password"))} if "password" in said else {}
    named = make_conninfo("", **{name: value for name, value in said.items() if value is not None})
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    done = subprocess.run(
        [client_programs() / program, "--no-password", f"--dbname={named}", *words],
        capture_output=True, text=True, errors="replace", check=False, stdin=subprocess.DEVNULL,
        env=environment | secret,
    )  # fmt: skip
    if done.returncode != 0:
        raise DatabaseUnavailable(f"{program} failed: {' '.join(done.stderr.split())[-500:]}")
