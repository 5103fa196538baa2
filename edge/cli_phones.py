"""`storepulse edge pair` and `phones`: let a phone in by a code, list the phones, end one.

Decides nothing. Works on the node's file, whether the node runs or not.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import segno
import typer
from rich.console import Console
from rich.table import Table

from edge.clock import SynchronisedSetting, now_of
from edge.disk import FILE_NAME, Disk
from edge.errors import BadSettings
from edge.outbox import Outbox
from edge.pairing import PairedPhone, Phones
from storepulse.errors import BadInput
from storepulse.loopback import is_loopback
from storepulse.units import GIB

app = typer.Typer(no_args_is_help=True)
phones_app = typer.Typer(no_args_is_help=True, help="The phones that are paired with this node.")
app.add_typer(phones_app, name="phones")

Data = Annotated[Path, typer.Option(help="The node's data folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ClockOption = Annotated[SynchronisedSetting, typer.Option(help="Is the wall clock set?")]


@app.command("pair", epilog="storepulse edge pair --data /var/lib/storepulse")
def pair_command(data: Data, clock: ClockOption = "ask", as_json: JsonOption = False) -> None:
    """Show a code by which one phone pairs with this node: once, within 15 minutes.

    Scan the picture with the phone, or open the address on it and type the code.
    """
    with _phones(data) as phones:
        address = phones.served_at()
        if address is None:
            raise BadSettings(
                f"the node of {data} never ran: start it first (storepulse edge run), so that it "
                "has an address"
            )
        code, ends_at = phones.make_code(now_of(clock)())
    url = f"{address}/#/pair/{code}"
    if as_json:
        told = {"code": code, "address": address, "url": url, "ends_at": ends_at.isoformat()}
        typer.echo(json.dumps(told))
        return
    typer.echo(code)
    typer.echo(url)
    segno.make(url, micro=False).terminal(sys.stdout, compact=True)
    typer.echo(f"Good once, until {ends_at.astimezone():%H:%M}.", err=True)
    if is_loopback(urlsplit(address).hostname or ""):
        typer.echo(
            "This address is reached from this machine only: for phones in the shop the node needs "
            "a name (storepulse edge enrol --name) and `edge run --host`.",
            err=True,
        )


@phones_app.command("list", epilog="storepulse edge phones list --data /var/lib/storepulse")
def list_command(data: Data, as_json: JsonOption = False) -> None:
    """List the phones; one that was ended is shown for 30 days."""
    with _phones(data) as phones:
        found = phones.all()
    if as_json:
        typer.echo(json.dumps([_json(one) for one in found], ensure_ascii=False))
        return
    table = Table("phone", "name", "paired", "ended", box=None)
    for one in found:
        table.add_row(
            one.phone, one.name, f"{one.paired_at:%Y-%m-%d %H:%M}",
            "" if one.ended_at is None else f"{one.ended_at:%Y-%m-%d %H:%M}",
        )  # fmt: skip
    Console(width=None if sys.stdout.isatty() else 160).print(table)


@phones_app.command("end", epilog="storepulse edge phones end 3f9c1f6e --data d")
def end_command(
    phone: Annotated[
        str, typer.Argument(help="As `phones list` shows it; its beginning is enough.")
    ],
    data: Data,
    clock: ClockOption = "ask",
    as_json: JsonOption = False,
) -> None:
    """Let a phone do nothing any more, at once; the hub is told, too."""
    with _phones(data) as phones:
        ended = phones.end(_which(phone, phones.all()), now_of(clock)())
    if as_json:
        typer.echo(json.dumps(_json(ended), ensure_ascii=False))
    else:
        typer.echo(f"{ended.phone} ({ended.name or 'no name'}) is paired no more")


def _which(said: str, known: list[PairedPhone]) -> str:
    found = [one.phone for one in known if said and one.phone.startswith(said.lower())]
    if not found:
        raise BadInput(f"no phone {said!r} is paired here: see `storepulse edge phones list`")
    if len(found) > 1:
        raise BadInput(f"several phones begin with {said!r}: {', '.join(found)}")
    return found[0]


def _json(phone: PairedPhone) -> dict[str, str | None]:
    return {
        "phone": phone.phone, "name": phone.name, "paired_at": phone.paired_at.isoformat(),
        "ended_at": None if phone.ended_at is None else phone.ended_at.isoformat(),
    }  # fmt: skip


@contextmanager
def _phones(data: Path) -> Iterator[Phones]:
    if not (data / FILE_NAME).is_file():
        raise BadInput(f"{data} is no node's data folder: it has no {FILE_NAME}")
    disk = Disk(data)
    try:
        # The key of a message has the node's name only on its way up, where the node puts it.
        yield Phones(disk, Outbox(disk, node="", bytes_max=2 * GIB))
    finally:
        disk.close()
