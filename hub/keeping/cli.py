"""`storepulse hub export|import|backup|restore`. Decides nothing."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from hub.keeping.backing import back_up, restore
from hub.keeping.exporting import export_hub, import_hub
from hub.store.database import beside, open_database, where

app = typer.Typer(pretty_exceptions_enable=False)

talk: Final = Console(stderr=True, soft_wrap=True, highlight=False)

DatabaseOption = Annotated[
    str | None, typer.Option("--database", help="As for `storepulse hub run`.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("export")
def hub_export(
    file: Annotated[Path, typer.Argument(help="A new file, as hub.tar.gz.")],
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write shops, policies, playbooks, planograms, rights, taps and facts as JSON lines.

    Example: storepulse hub export hub.tar.gz --json
    """
    with open_database(database) as opened:
        counts = export_hub(opened, file, now=datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps(counts))
        return
    typer.echo(f"{file}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))


@app.command("import")
def hub_import(
    file: Annotated[Path, typer.Argument(help="What `storepulse hub export` wrote.")],
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take an export into this hub, all or nothing; twice is once.

    Example: storepulse hub import hub.tar.gz --database ./data/hub2
    """
    with open_database(database) as opened:
        done = import_hub(opened, file, now=datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps(asdict(done)))
        return
    for name, one in done.parts.items():
        typer.echo(f"{name}: {one.rows} rows, {one.new} new")
    if done.other_playbooks:
        talk.print(f"other texts come with this storepulse: {', '.join(done.other_playbooks)}")
    if done.parts.get("people") and done.parts["people"].new:
        talk.print("people come without passwords: `storepulse hub people link NAME` for each")


@app.command("backup")
def hub_backup(
    file: Annotated[Path, typer.Argument(help="A new file, as hub.tar.")],
    database: DatabaseOption = None,
    pictures: Annotated[bool, typer.Option(help="With the evidence pictures.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Keep the whole database and the pictures in one file, while the hub runs.

    Example: storepulse hub backup hub-2026-11-22.tar
    """
    blobs = beside(database, "blobs") if pictures else None
    with open_database(database) as opened:
        conninfo = where(database) if opened.embedded is None else opened.embedded.conninfo()
        kept = back_up(conninfo, blobs, file, now=datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps(asdict(kept)))
        return
    typer.echo(f"{file}: a database of {kept.database_bytes} bytes, {kept.pictures} pictures")
    talk.print("keep it as you keep the hub; the authority's key is not in it")


@app.command("restore")
def hub_restore(
    file: Annotated[Path, typer.Argument(help="What `storepulse hub backup` wrote.")],
    database: DatabaseOption = None,
    pictures: Annotated[bool, typer.Option(help="With the evidence pictures.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Bring a backup back into a new folder or an empty database.

    Example: storepulse hub restore hub-2026-11-22.tar --database ./data-new/hub
    """
    blobs = beside(database, "blobs") if pictures else None
    kept = restore(file, database, blobs)
    if as_json:
        typer.echo(json.dumps(asdict(kept)))
        return
    typer.echo(f"restored a database of {kept.database_bytes} bytes, {kept.pictures} pictures")
