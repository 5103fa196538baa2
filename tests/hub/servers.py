"""Which server the hub's tests run on, and empty databases of it.

The embedded one, unless STOREPULSE_TEST_DATABASE names another by a URL of somebody who may make
databases; what needs a password has it in a passfile. Where that server has TimescaleDB, every
database of the tests has it, too.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from hub.store.database import Database

ASKED: Final = os.environ.get("STOREPULSE_TEST_DATABASE")


def url_of(database: Database, name: str | None = None) -> str:
    """A URL of the database, or of another one of its server."""
    server = database.embedded
    return _url(database.place if server is None else server.conninfo(), name)


def _url(conninfo: str, name: str | None) -> str:
    said = {word: str(value) for word, value in conninfo_to_dict(conninfo).items()}
    user, password, named = (said.pop(word, "") for word in ("user", "password", "dbname"))
    who = quote(user, safe="") + (password and f":{quote(password, safe='')}")
    words = "&".join(f"{word}={quote(value, safe='')}" for word, value in said.items())
    return f"postgresql://{who}@/{quote(name or named, safe='')}?{words}"


@contextmanager
def new_database(url: str, name: str, *, extension: bool = True) -> Iterator[str]:
    """The URL of a new database without a table, gone at the end; with TimescaleDB if it can be."""
    with psycopg.connect(url, autocommit=True) as connection:
        made = sql.Identifier(name)
        connection.execute(sql.SQL("create database {} template template0").format(made))
        try:
            place = _url(url, name)
            if extension:
                _add_extension(place)
            yield place
        finally:
            connection.execute(sql.SQL("drop database {} with (force)").format(made))


def _add_extension(place: str) -> None:
    with psycopg.connect(place, autocommit=True) as connection:
        there = connection.execute(
            "select from pg_available_extensions where name = 'timescaledb'"
        ).fetchone()
        if there is not None:
            connection.execute("create extension timescaledb")


_PARTS: Final = (
    "select format('%I.%I', nspname, relname) as part from pg_inherits"
    " join pg_class on pg_class.oid = inhrelid"
    " join pg_namespace on pg_namespace.oid = relnamespace"
    " where inhparent = 'storepulse.facts'::regclass order by 1"
)


def parts_of_facts(database: Database) -> list[str]:
    """The months or chunks that facts lie in, by name."""
    with database.connection() as connection:
        return [row["part"] for row in connection.execute(_PARTS)]


def kind_of_facts(database: Database) -> str:
    """What facts lie in."""
    with database.connection() as connection:
        row = connection.execute(
            "select relkind from pg_class where oid = 'storepulse.facts'::regclass"
        ).fetchone()
    assert row is not None
    return {"p": "partitions", "r": "hypertable"}[row["relkind"]]
