"""`storepulse hub care`: one customer's data, the record, and the keys. Decides nothing."""

import json
import sys
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from hub.care.keyring import FILE_NAME, Keyring, keep_keyring, turned, write_keyring
from hub.care.persons import erase_person, export_person, reseal
from hub.care.store import note, record_of
from hub.store.database import beside, open_database
from storepulse.errors import BadInput

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

talk: Final = Console(stderr=True, soft_wrap=True, highlight=False)

DatabaseOption = Annotated[
    str | None, typer.Option("--database", help="As for `storepulse hub run`.")
]
ContactArgument = Annotated[
    str, typer.Argument(help="Mail address or telephone number; - reads it from stdin.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("export")
def export(contact: ContactArgument, database: DatabaseOption = None) -> None:
    """Print everything that is kept of one customer, as JSON.

    Example: echo li@example.com | storepulse hub care export -
    """
    with open_database(database) as opened, opened.connection() as connection:
        found = export_person(connection, _said(contact), _keyring(database))
        for one in found["consents"]:
            note(connection, "exported", at=datetime.now(UTC), consent=one["id"], shop=one["shop"])
    _say(found)
    talk.print(f"{len(found['consents'])} consents")


@app.command("erase")
def erase(
    contact: ContactArgument, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Delete what is kept of one customer; nothing is sent to that contact any more.

    Example: echo li@example.com | storepulse hub care erase -
    """
    with open_database(database) as opened, opened.connection() as connection:
        erased = erase_person(connection, _said(contact), _keyring(database), at=datetime.now(UTC))
    typer.echo(json.dumps({"erased": erased}) if as_json else f"{erased} consents erased")


@app.command("record")
def record(database: DatabaseOption = None) -> None:
    """Print the record of consents and messages, a JSON object a line. No contact is in it.

    Example: storepulse hub care record
    """
    with open_database(database) as opened, opened.connection() as connection:
        for row in record_of(connection, None):
            _say(row)


@app.command("rotate")
def rotate(database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Make a new key, and seal all contacts and channels by it.

    The key before stays in the file until the next time: a hub that runs may still use it.

    Example: storepulse hub care rotate
    """
    file, before = beside(database, FILE_NAME), _keyring(database)
    new = turned(before)
    every = Keyring((*new.keys, *before.keys[1:]))
    with open_database(database) as opened:
        # Before the rows: should it be killed in between, one of the keys opens each.
        write_keyring(file, every)
        with opened.connection() as connection:
            done = reseal(connection, every, at=datetime.now(UTC))
    write_keyring(file, new)
    if as_json:
        _say({"contacts": done.contacts, "channels": done.channels})
    else:
        typer.echo(f"{done.contacts} contacts and {done.channels} channels sealed anew")
    talk.print(f"Back up {file}, apart from the database", markup=False)


def _keyring(database: str | None) -> Keyring:
    return keep_keyring(beside(database, FILE_NAME))


def _said(contact: str) -> str:
    """From stdin it stays out of the shell's history."""
    said = sys.stdin.readline() if contact == "-" else contact
    if not said.strip():
        raise BadInput("say which contact")
    return said


def _say(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))
