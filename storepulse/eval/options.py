"""Options that many measures have, and how a report is said. Measures nothing."""

import json
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from storepulse.eval.figures import Report, as_json, as_table

_FILE_COLUMNS: Final = 110
SHELVES: Final = "Folder of shelf photos: checked.json, rows.json, images/, full/."
_PROBES: Final = "Folder of reference captures: devices/, devices-2/, occupancy/, parser/."

Shelves = Annotated[Path, typer.Option("--data", help=SHELVES)]
Probes = Annotated[Path, typer.Option("--data", help=_PROBES)]
Model = Annotated[
    Path | None, typer.Option("--model", help="Another detector (.onnx) than the one inside.")
]
Threads = Annotated[int, typer.Option("--threads", min=1, max=64, help="Cores to use.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same figures.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object to stdout.")]
Calibrated = Annotated[
    Path | None, typer.Option("--calibration", help="Another one than the shipped one.")
]


def say(report: Report, as_json_: bool) -> None:
    """Print a report: a table, or one JSON object."""
    if as_json_:
        typer.echo(json.dumps(as_json(report)))
    else:
        console = Console()
        wide = console if console.is_terminal else Console(width=_FILE_COLUMNS)
        wide.print(as_table(report))
