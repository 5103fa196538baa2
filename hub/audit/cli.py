"""`storepulse hub audit`: print the audit log. Changes nothing."""

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hub.audit.store import LINES_MAX, Line, lines
from hub.store.database import open_database

app = typer.Typer(pretty_exceptions_enable=False)


@app.command("audit")
def audit(
    about: Annotated[str | None, typer.Option(help="Only about this, as policy:7.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=LINES_MAX)] = 100,
    database: Annotated[
        str | None, typer.Option("--database", help="As for `storepulse hub run`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say who changed which policy, playbook, right or code, the newest first.

    Example: storepulse hub audit --about policy:7 --json
    """
    with open_database(database) as opened, opened.connection() as connection:
        found = lines(connection, about=about, limit=limit)
    if as_json:
        said = [asdict(one) for one in found]
        typer.echo(json.dumps(said, ensure_ascii=False, default=str))
        return
    table = Table("at", "who", "what", "about", "detail", box=None)
    for one in found:
        detail = json.dumps(dict(one.detail), ensure_ascii=False) if one.detail else ""
        table.add_row(
            f"{one.at:%Y-%m-%d %H:%M:%S}", _who(one), one.what, one.about_name or one.about, detail
        )
    Console(width=None if sys.stdout.isatty() else 160, markup=False).print(table)


def _who(line: Line) -> str:
    if line.person is None:
        return line.who
    return line.name or f"erased ({line.person})"
