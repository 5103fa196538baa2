"""`storepulse edge staff`: names that clerks pick by a PIN where figures are personal.

Decides nothing. Works on the node's file, whether the node runs or not.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from edge.clock import SynchronisedSetting, now_of
from edge.disk import FILE_NAME, Disk
from edge.staff import Staff, StaffNames
from storepulse.errors import BadInput

app = typer.Typer(
    no_args_is_help=True, help="Names that clerks pick by a PIN; they stay on this node."
)

Data = Annotated[Path, typer.Option(help="The node's data folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ClockOption = Annotated[SynchronisedSetting, typer.Option(help="Is the wall clock set?")]
NameArgument = Annotated[str, typer.Argument(help="As the phone shows it.")]


@app.command("add", epilog="storepulse edge staff add Anna --data /var/lib/storepulse")
def add_command(
    name: NameArgument, data: Data, clock: ClockOption = "ask", as_json: JsonOption = False
) -> None:
    """Add a name, and print its PIN once: it is kept nowhere."""
    with _staff(data) as staff:
        one, pin = staff.add(name, now_of(clock)().at)
    _say(one, pin, as_json=as_json)


@app.command("pin", epilog="storepulse edge staff pin Anna --data /var/lib/storepulse")
def pin_command(name: NameArgument, data: Data, as_json: JsonOption = False) -> None:
    """Give a name another PIN, and open it where wrong PINs have locked it."""
    with _staff(data) as staff:
        one = _named(name, staff)
        pin = staff.renew_pin(one.person)
    _say(one, pin, as_json=as_json)


@app.command("list", epilog="storepulse edge staff list --data /var/lib/storepulse")
def list_command(data: Data, as_json: JsonOption = False) -> None:
    """List the names."""
    with _staff(data) as staff:
        found = staff.all()
    if as_json:
        told = [{"person": one.person, "name": one.name} for one in found]
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    table = Table("name", "person", box=None)
    for one in found:
        table.add_row(one.name, one.person)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


@app.command("end", epilog="storepulse edge staff end Anna --data /var/lib/storepulse")
def end_command(name: NameArgument, data: Data, as_json: JsonOption = False) -> None:
    """Forget a name and its PIN; what was tapped under it stays, as nobody's."""
    with _staff(data) as staff:
        one = _named(name, staff)
        staff.end(one.person)
    typer.echo(
        json.dumps({"ended": one.name}, ensure_ascii=False)
        if as_json
        else f"{one.name} is forgotten"
    )


def _named(name: str, staff: StaffNames) -> Staff:
    for one in staff.all():
        if one.name == name.strip():
            return one
    raise BadInput(f"no name {name!r} is here: see `storepulse edge staff list`")


def _say(one: Staff, pin: str, *, as_json: bool) -> None:
    if as_json:
        told = {"person": one.person, "name": one.name, "pin": pin}
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        typer.echo(f"{one.name}: {pin}")
        typer.echo("Shown once. A forgotten PIN: `storepulse edge staff pin`.", err=True)


@contextmanager
def _staff(data: Path) -> Iterator[StaffNames]:
    if not (data / FILE_NAME).is_file():
        raise BadInput(f"{data} is no node's data folder: it has no {FILE_NAME}")
    disk = Disk(data)
    try:
        yield StaffNames(disk)
    finally:
        disk.close()
