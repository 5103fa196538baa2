"""`storepulse hub why`: print what most likely made a code worse. Decides nothing."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hub.codes.cli import DatabaseOption, DayOption, JsonOption, read_day
from hub.codes.sentences import said
from hub.store.database import open_database
from hub.why.answer import WHY_JSON, Why
from storepulse.actions import DIMENSIONS
from storepulse.errors import BadInput

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.command("why")
def why(
    shop: Annotated[str, typer.Argument(help="The shop.")],
    dimension: Annotated[str, typer.Option(help=f"One of {', '.join(DIMENSIONS)}.")],
    day: DayOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """What most likely made a dimension of a shop worse, with effects and what was not checked.

    Example: storepulse hub why 12 --dimension place --day 2026-11-20 --json
    """
    asked = next((one for one in DIMENSIONS if one == dimension), None)
    if asked is None:
        raise NoDimension(f"--dimension must be one of {', '.join(DIMENSIONS)}, got {dimension!r}")
    shown = read_day(day)
    # Imported here: the other commands start quicker without the libraries of regressions.
    from hub.why.reading import read_why

    with open_database(database) as opened:
        found = read_why(opened, shop, asked, shown)
    if as_json:
        typer.echo(WHY_JSON.dump_json(found).decode())
    else:
        _print(found)


class NoDimension(BadInput):
    """A dimension that there is not."""


def _print(found: Why) -> None:
    width = None if sys.stdout.isatty() else 160
    console = Console(width=width)
    console.print(why_table(found))
    typer.echo(found.words.en)
    if found.not_checked:
        typer.echo("not checked: " + "; ".join(
            f"{one.cause} ({one.reason.en})" for one in found.not_checked
        ))  # fmt: skip


def why_table(found: Why) -> Table:
    """An answer for the terminal."""
    title = f"{found.shop}, {found.dimension}, {found.first} to {found.last}"
    if found.value is not None and found.usual is not None:
        now, usual = said(found.dimension, found.value), said(found.dimension, found.usual)
        title += f": {now.en}, usually {usual.en}"
    table = Table("cause", "effect", "90% interval", "in words", title=title, box=None)
    for one in found.causes:
        table.add_row(
            one.cause, f"{one.effect:+.3g}", f"{one.low:+.3g} to {one.high:+.3g}", one.words.en
        )
    return table
