"""`storepulse hub bench`: the figures of docs/proof.md that depend on a chain's size."""

import json
import os
from dataclasses import asdict
from typing import Annotated, Any

import typer

from hub.bench.board import bench_board
from hub.bench.codes import bench_codes
from hub.bench.ingest import bench_ingest
from hub.bench.news import bench_news
from hub.bench.plane import bench_plane
from hub.bench.stores import bench_stores
from storepulse.errors import BadInput

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def _top() -> None:
    """Measure the hub at a chain's size, with drawn shops and facts."""


@app.command("codes")
def codes(
    shops: Annotated[int, typer.Option(min=1, max=100_000)] = 10_000,
    days: Annotated[int, typer.Option(min=1, max=366)] = 28,
    processes: Annotated[
        int | None, typer.Option(min=1, max=64, help="Default: as many as there are processors.")
    ] = None,
) -> None:
    """Compute all codes of a chain under a new policy; prints one line of JSON.

    Example: storepulse hub bench codes --shops 10000 --days 28
    """
    found = bench_codes(shops, days, processes or os.cpu_count() or 1)
    typer.echo(json.dumps(asdict(found)))


@app.command("board")
def board(
    shops: Annotated[int, typer.Option(min=1, max=100_000)] = 10_000,
    rate: Annotated[float, typer.Option(min=0.1, max=1000, help="Requests a second.")] = 50.0,
    seconds: Annotated[float, typer.Option(min=1, max=600)] = 20.0,
    page_rows: Annotated[int, typer.Option(min=1, max=500, help="Rows of a board's page.")] = 100,
    database: Annotated[
        str | None,
        typer.Option(help="An empty one by URL; default: an embedded one that is removed."),
    ] = None,
) -> None:
    """Serve a chain over HTTP and ask for the board and shops' pages; prints one line of JSON.

    Example: storepulse hub bench board --shops 10000 --rate 50
    """
    typer.echo(json.dumps(asdict(bench_board(shops, rate, seconds, page_rows, database))))


@app.command("plane")
def plane(
    shops: Annotated[int, typer.Option(min=1, max=100_000)] = 10_000,
    days: Annotated[int, typer.Option(min=1, max=366, help="Of figures that are kept.")] = 28,
    asked: Annotated[int, typer.Option(min=1, max=1000, help="Of each pair of figures.")] = 20,
) -> None:
    """Compare all shops of a chain on two figures over HTTP; prints one line of JSON.

    Example: storepulse hub bench plane --shops 10000 --days 28
    """
    typer.echo(json.dumps(asdict(bench_plane(shops, days, asked))))


@app.command("ingest")
def ingest(
    nodes: Annotated[int, typer.Option(min=1, max=10_000)] = 500,
    messages: Annotated[int, typer.Option(min=1, help="Of each node in each run.")] = 16,
    size: Annotated[int, typer.Option(min=1, max=500, help="Facts in a message.")] = 20,
    window: Annotated[int, typer.Option(min=1, max=64, help="Messages under way a node.")] = 2,
    runs: Annotated[int, typer.Option(min=1, max=50)] = 5,
    broker: Annotated[
        str | None, typer.Option(help="mosquitto or embedded; default: mosquitto if installed.")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=16, help="Processes of the hub that store; 1: its own.")
    ] = 2,
) -> None:
    """From broker to committed row, each fact once; prints one line of JSON.

    Example: storepulse hub bench ingest --nodes 500 --runs 5
    """
    if broker not in (None, "mosquitto", "embedded"):
        raise BadInput(f"--broker must be mosquitto or embedded, got {broker!r}")
    kind: Any = broker
    typer.echo(json.dumps(asdict(bench_ingest(nodes, messages, size, window, runs, kind, workers))))


@app.command("news")
def news(
    shops: Annotated[int, typer.Option(min=4, max=100_000)] = 1000,
    facts: Annotated[int, typer.Option(min=1, max=10_000, help="Watched, one by one.")] = 40,
    background: Annotated[
        float, typer.Option(min=0, max=100_000, help="Facts a second of other nodes.")
    ] = 0.0,
) -> None:
    """From a node's fact to the changed colour on an open board; prints one line of JSON.

    Example: storepulse hub bench news --shops 10000 --background 1000
    """
    typer.echo(json.dumps(asdict(bench_news(shops, facts, background))))


@app.command("stores")
def stores(
    databases: Annotated[list[str], typer.Argument(help="Empty ones, by URL or folder.")],
    shops: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    days: Annotated[int, typer.Option(min=1, max=100, help="Of each shop in each run.")] = 3,
    runs: Annotated[int, typer.Option(min=1, max=50)] = 5,
) -> None:
    """Store the same facts in several databases and read figures; prints one line of JSON.

    Example: storepulse hub bench stores ./data/plain postgresql://me@/hub?host=/run/postgresql
    """
    typer.echo(json.dumps(asdict(bench_stores(databases, shops, days, runs))))
