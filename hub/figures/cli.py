"""`storepulse hub figures|keep`: figures over time, how long facts are kept. Decides nothing."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table

from hub.codes.cli import read_day
from hub.figures.reading import Series, read_series
from hub.figures.retention import kept_days, remove_old_facts, set_kept_days
from hub.metrics import CATALOGUE
from hub.store.database import open_database
from storepulse.errors import BadInput

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
keep_app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

_SERIES: Final[TypeAdapter[Series]] = TypeAdapter(Series)
_GRAINS: Final = ("quarter", "hour", "day", "week")

DatabaseOption = Annotated[
    str | None, typer.Option("--database", help="As for `storepulse hub run`.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("figures")
def figures(
    shop: Annotated[str, typer.Argument(help="The shop.")],
    metric: Annotated[str, typer.Option(help="As `storepulse hub catalogue` names it.")],
    by: Annotated[str, typer.Option(help="quarter, hour, day or week.")] = "day",
    first: Annotated[str | None, typer.Option("--from", help="The shop's local day.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="The shop's local day.")] = None,
    open_only: Annotated[
        bool, typer.Option("--open-only", help="Only what begins in opening hours.")
    ] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """A metric of a shop by quarter hour, hour, day or week, with intervals; late facts too.

    Example: storepulse hub figures 12 --metric dwell_mean --by week --json
    """
    if by not in _GRAINS:
        raise BadInput(f"--by must be one of {', '.join(_GRAINS)}, got {by!r}")
    grain: Any = by
    since, until = read_day(first), read_day(last)
    with open_database(database) as opened, opened.connection() as connection:
        series = read_series(
            connection, shop, metric, grain, since, until, now=datetime.now(UTC),
            open_only=open_only,
        )  # fmt: skip
    if as_json:
        typer.echo(_SERIES.dump_json(series).decode())
        return
    table = Table("from", "value", "low", "high", "n", "coverage", "facts", box=None)
    for one in series.figures:
        cells = (one.value, one.low, one.high, one.n, one.coverage, one.facts)
        table.add_row(one.starts_at.isoformat(), *("" if c is None else f"{c:g}" for c in cells))
    Console(width=110).print(table)


@keep_app.command("list")
def keep_list(database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """For how many days each metric's facts are kept.

    Example: storepulse hub keep list --json
    """
    with open_database(database) as opened, opened.connection() as connection:
        kept = kept_days(connection)
    if as_json:
        typer.echo(json.dumps({name: kept.get(name) for name in CATALOGUE}))
        return
    for name in CATALOGUE:
        typer.echo(f"{name}: {f'{kept[name]} days' if name in kept else 'for ever'}")


@keep_app.command("set")
def keep_set(
    metric: Annotated[str, typer.Argument(help="As `storepulse hub catalogue` names it.")],
    days: Annotated[str, typer.Argument(help="A number of days, 60 or more, or: forever")],
    database: DatabaseOption = None,
) -> None:
    """Set for how long a metric's facts are kept; their day figures stay for ever.

    Example: storepulse hub keep set occupancy 400
    """
    if days != "forever" and not days.isdecimal():
        raise BadInput(f"days must be a number or forever, got {days!r}")
    with open_database(database) as opened, opened.connection() as connection:
        set_kept_days(connection, metric, None if days == "forever" else int(days))
    typer.echo(f"{metric}: {'for ever' if days == 'forever' else f'{int(days)} days'}")


@keep_app.command("now")
def keep_now(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")
    ] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove the facts that are older than their metric is kept. The hub does it once a day.

    Example: storepulse hub keep now --dry-run --json
    """
    with open_database(database) as opened:
        found = remove_old_facts(opened, now=datetime.now(UTC), dry_run=dry_run)
    if as_json:
        told = [asdict(one) for one in found]
        typer.echo(json.dumps({"dry_run": dry_run, "metrics": told}, default=str))
        return
    word = "would go" if dry_run else "went"
    for one in found:
        span = f", {one.oldest} to {one.newest}" if one.oldest else ""
        typer.echo(
            f"{one.metric} (kept {one.days_kept} days): {one.facts} facts of {one.shop_days} shop"
            f" days {word}{span}; {one.left} older days stay"
        )
    if not found:
        typer.echo("nothing is set to go: `storepulse hub keep set METRIC DAYS`")
