"""`storepulse hub bench`: the figures of docs/proof.md that depend on a chain's size."""

import json
import os
from dataclasses import asdict
from typing import Annotated

import typer

from hub.bench.codes import bench_codes

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
