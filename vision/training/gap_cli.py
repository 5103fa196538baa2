"""`storepulse vision train-gaps`: the command that makes the gap network. Thin."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vision.training.model_facts import ModelFacts
from vision.training.sources import read_sources

if TYPE_CHECKING:
    from vision.training.loop import Step

LOG_EVERY_ITERATIONS: Final = 20
LICENCE: Final = "AGPL-3.0 (ultralytics); the terms of the photos apply besides"


def train_gaps(
    gaps: Annotated[
        Path, typer.Argument(help="COCO file of gaps; its images have a `group` each.")
    ],
    run: Annotated[
        Path, typer.Option(help="Folder of this run. Give the same one again to continue.")
    ],
    shelves: Annotated[
        list[str], typer.Option(help="Shelf photos with labelled facings, as for `train`.")
    ],
    start: Annotated[Path, typer.Option(help="Weights of a detector of facings (.safetensors).")],
    split: Annotated[
        str | None, typer.Option(help="Use the shelf photos of this split only.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Length by the clock.")] = None,
    iterations: Annotated[
        int | None, typer.Option(help="Length in steps, in place of --minutes.")
    ] = None,
    part: Annotated[
        float, typer.Option(help="Share of the labelled groups to use, to see what labels give.")
    ] = 1.0,
    threads: Annotated[int, typer.Option(help="Cores to use.", min=1)] = 2,
    version: Annotated[str, typer.Option(help="Version of the model.")] = "1",
    trained_on: Annotated[
        str, typer.Option(help="Which photos, for the model's file.")
    ] = "photos given by whoever ran the training",
    licence: Annotated[str, typer.Option(help="Licence of the weights.")] = LICENCE,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train the network that finds gaps, and export it as ONNX; a fifth of the groups stays out.

    Stopped? Give the same command again: it goes on from the last checkpoint.

    Example: storepulse vision train-gaps gaps/gaps.json --shelves shelves/boxes.json --split train
    --start vision/weights/facings.safetensors --minutes 40 --run runs/gaps
    """
    from vision.training.cli import TALK, _need_torch, _plain_errors

    with _plain_errors():
        _need_torch()
        from vision.training.gap_lessons import groups_of
        from vision.training.gap_run import GapRun, gap_plan, run_gap_training

        def report(step: "Step") -> None:
            if step.iteration % LOG_EVERY_ITERATIONS == 0:
                TALK.print(
                    f"{step.done_share:.3f} {step.iteration} loss {step.loss:.3f} "
                    f"{step.step_s:.2f} s/it",
                    highlight=False,
                )

        model = run_gap_training(
            GapRun(
                gaps=read_sources([str(gaps)], split=None),
                groups=groups_of(gaps),
                shelves=read_sources(shelves, split=split),
                start=start,
                folder=run,
                plan=gap_plan(minutes=minutes, iterations=iterations, threads=threads),
                facts=ModelFacts("gaps", version, trained_on, licence, input_size=448),
                part=part,
            ),
            report=report,
        )
        typer.echo(json.dumps({"model": str(model)}) if as_json else model)
