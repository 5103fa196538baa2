"""`storepulse hub feed`: add, list, run, end feeds; see and send again what is aside."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from hub.errors import BadFeed
from hub.feeds.intake import Taken
from hub.feeds.kinds import KINDS
from hub.feeds.running import run_feed, take_again
from hub.feeds.signing import shown_secret
from hub.feeds.sources import CsvSource
from hub.feeds.store import EVERY_S, ToldFeed, add_feed, aside, end_feed, feeds
from hub.store.database import open_database

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

talk: Final = Console(stderr=True, soft_wrap=True, highlight=False)

DatabaseOption = Annotated[
    str | None, typer.Option("--database", help="As for `storepulse hub run`.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FeedArgument = Annotated[str, typer.Argument(help="The feed's name.")]


@app.command("add")
def feed_add(
    name: FeedArgument,
    kind: Annotated[str, typer.Option(help=", ".join(KINDS))],
    place: Annotated[
        str, typer.Option("--from", help="webhook, a CSV file, folder or URL, open-meteo, holidays")
    ],
    every_s: Annotated[int, typer.Option(help="Seconds between two runs.")] = EVERY_S,
    option: Annotated[list[str] | None, typer.Option(help="country=CN; repeat.")] = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a feed. A webhook's secret is printed once: keep it where the sender can read it.

    Example: storepulse hub feed add till --kind deals --from webhook
    """
    with open_database(database) as opened, opened.connection() as connection:
        secret = add_feed(
            connection, name, kind=kind, place=place, options=_options(option or []),
            every_s=every_s, now=datetime.now(UTC),
        )  # fmt: skip
    said = {"feed": name, "columns": KINDS[kind].columns}
    if secret is not None:
        said |= {"secret": shown_secret(secret), "path": f"/api/feeds/{name}/rows"}
    if as_json:
        typer.echo(json.dumps(said))
        return
    talk.print(f"{name}: {KINDS[kind].meaning}; columns {', '.join(KINDS[kind].columns)}")
    if secret is not None:
        talk.print(f"deliveries go to /api/feeds/{name}/rows, signed (Standard Webhooks) by:")
        typer.echo(shown_secret(secret))


@app.command("list")
def feed_list(database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List the feeds: last run, rows, aside, age.

    Example: storepulse hub feed list --json
    """
    now = datetime.now(UTC)
    with open_database(database) as opened, opened.connection() as connection:
        found = feeds(connection)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], default=str))
        return
    table = Table("feed", "kind", "from", "last run", "age", "rows", "same", "aside", "state",
                  box=None)  # fmt: skip
    for one in found:
        table.add_row(
            one.name, one.kind, one.place, _when(one.last_run_at), _age(one, now), str(one.taken),
            str(one.same), str(one.aside), f"{one.reason}: {one.detail}" if one.reason else "good",
        )  # fmt: skip
    Console(width=None if sys.stdout.isatty() else 200, markup=False).print(table)


@app.command("run")
def feed_run(
    name: FeedArgument,
    file: Annotated[Path | None, typer.Option(help="A CSV file instead of its own place.")] = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch a feed now, or take a file by hand. Bad rows are kept aside and hold up no other.

    Example: storepulse hub feed run till --file receipts.csv --json
    """
    if file is not None and not file.is_file():
        raise BadFeed(f"there is no file {file}")
    with open_database(database) as opened:
        done = run_feed(
            opened, name, now=datetime.now(UTC),
            source=None if file is None else CsvSource(str(file)),
        )  # fmt: skip
    _say(done, as_json=as_json)


@app.command("aside")
def feed_aside(
    name: FeedArgument, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """List the rows that could not be taken, with their reasons.

    Example: storepulse hub feed aside till --json
    """
    with open_database(database) as opened, opened.connection() as connection:
        found = aside(connection, name)
    if as_json:
        said = [asdict(one) for one in found]
        typer.echo(json.dumps(said, ensure_ascii=False, default=str))
        return
    for one in found:
        row = ", ".join(f"{key}={value}" for key, value in one.said.items() if value)
        typer.echo(f"{one.id}  {one.reason}: {one.detail}  [{row}]")


@app.command("again")
def feed_again(
    name: FeedArgument,
    only: Annotated[int | None, typer.Option("--id", help="Only this row.")] = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send the rows that are aside again, once what was wrong is mended.

    Example: storepulse hub feed again till
    """
    with open_database(database) as opened:
        done = take_again(opened, name, now=datetime.now(UTC), only=only)
    _say(done, as_json=as_json)


@app.command("end")
def feed_end(name: FeedArgument, database: DatabaseOption = None) -> None:
    """End a feed; what it said stays.

    Example: storepulse hub feed end till
    """
    with open_database(database) as opened, opened.connection() as connection:
        end_feed(connection, name)
    typer.echo(f"{name} has ended")


def _options(said: Sequence[str]) -> Mapping[str, str]:
    if any("=" not in one for one in said):
        raise BadFeed("an option is written NAME=VALUE")
    return dict(one.split("=", 1) for one in said)


def _say(done: Taken, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(done)))
        return
    typer.echo(f"{done.rows} rows: {done.taken} new, {done.same} known, {done.aside.total()} aside")
    for reason, count in done.aside.most_common():
        typer.echo(f"  {count} {reason}")


def _when(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M}"


def _age(feed: ToldFeed, now: datetime) -> str:
    if feed.last_ok_at is None:
        return "nothing yet"
    minutes = int((now - feed.last_ok_at).total_seconds() // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
