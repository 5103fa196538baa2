"""Commands that train, export and measure the detector. Thin: the work is in the modules beside.

torch and ultralytics are imported when a command needs them: the base install has neither, and
`--help` must work there.
"""

import importlib.util
import json
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from vision.training.augment import Variation
from vision.training.errors import TrainingError
from vision.training.gap_cli import train_gaps
from vision.training.labels import Labels
from vision.training.model_facts import ModelFacts
from vision.training.plan import TrainingPlan
from vision.training.sources import read_sources

if TYPE_CHECKING:
    from vision.training.evaluate import Figures
    from vision.training.loop import Step

app = typer.Typer(
    add_completion=False,
    help="Make a detector of facings from your own labelled photos.",
    no_args_is_help=True,
)
TALK = Console(stderr=True)
LOG_EVERY_ITERATIONS = 20
AGPL = "AGPL-3.0 (ultralytics); the terms of the photos apply besides"
UNNAMED_PHOTOS = "photos given by whoever ran the training"


@app.command()
def train(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Labelled photos: labels.json (COCO, photos in `images` beside it), "
            "labels.json=photos-folder, or a YOLO folder with `images` and `labels`."
        ),
    ],
    run: Annotated[
        Path, typer.Option(help="Folder of this run. Give the same one again to continue.")
    ],
    start: Annotated[
        Path | None,
        typer.Option(help="Weights to begin from (.safetensors); without: from random ones."),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Use the COCO images of this split only.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Length by the clock; 75 on two cores is a good start.")
    ] = None,
    iterations: Annotated[
        int | None, typer.Option(help="Length in steps, in place of --minutes.")
    ] = None,
    rate: Annotated[float, typer.Option(help="Learning rate; 1e-3 from a bare backbone.")] = 4e-4,
    head_rate: Annotated[
        float, typer.Option(help="Learning rate of the head; 2e-3 from a bare backbone.")
    ] = 4e-4,
    batch_size: Annotated[int, typer.Option(help="Crops a step.")] = 8,
    threads: Annotated[int, typer.Option(help="Cores to use.")] = 2,
    seed: Annotated[int, typer.Option(help="Of the crops drawn.")] = 0,
    relabel: Annotated[
        bool,
        typer.Option(
            help="Let the starting weights find facings that the labels forgot; needs --start."
        ),
    ] = True,
    measure_on: Annotated[
        list[str] | None,
        typer.Option(
            "--measure", help="Labelled photos, not trained on, to measure start and result on."
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the model.")] = "facings",
    version: Annotated[str, typer.Option(help="Version of the model.")] = "1",
    trained_on: Annotated[str, typer.Option(help="Which photos, for the card.")] = UNNAMED_PHOTOS,
    licence: Annotated[str, typer.Option(help="Licence of the weights.")] = AGPL,
    photo_terms: Annotated[
        str, typer.Option(help="What the terms of the photos allow, a sentence for the card.")
    ] = "the terms of the photos it was trained on were not stated.",
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train a detector of facings and export it as ONNX.

    The run folder gets log.csv, a checkpoint every three minutes, latest.onnx every ten, and at
    the end MODEL_CARD.md. A run that was stopped goes on when the same command is given again.

    About 250 photos with 100 to 200 boxes each are enough to begin; 75 minutes on two cores
    without a GPU from the shipped weights. Label every front that can be seen; mark what nobody
    can label as `ignore` in the COCO image.

    Example: storepulse vision train bays/labels.json --split train --run runs/bays
    --start vision/weights/facings.safetensors --minutes 75 --measure bays/checked.json
    """
    with _plain_errors():
        _need_torch()
        from vision.training.relabel import Doubt
        from vision.training.run import Run, run_training, write_card

        plan = TrainingPlan(
            minutes=minutes,
            iterations=iterations,
            rate=rate,
            head_rate=head_rate,
            batch_size=batch_size,
            threads=threads,
            seed=seed,
        )
        labels = read_sources(sources, split=split)
        held_out = read_sources(measure_on, split=None) if measure_on else None
        _keep_apart(labels, held_out)
        TALK.print(f"{len(labels.photos)} photos, {labels.facing_count} facings")
        doing = Run(
            labels=labels,
            start=start,
            folder=run,
            plan=plan,
            variation=Variation(),
            facts=ModelFacts(name, version, trained_on, licence),
            doubt=Doubt() if relabel and start is not None else None,
        )
        with _progress(len(labels.photos)) as (report, relabelled):
            model = run_training(doing, report=report, relabelled=relabelled)
        figures = write_card(
            doing,
            held_out,
            held_out_name=f"`{' '.join(measure_on or ())}`, not trained on",
            command=shlex.join(["storepulse", *sys.argv[1:]]),
            terms=photo_terms,
        )
        _say_figures(figures)
        if as_json:
            found = {key: asdict(value) for key, value in figures.items()}
            typer.echo(json.dumps({"model": str(model), "figures": found}))
        else:
            typer.echo(model)


@app.command()
def export(
    weights: Annotated[Path, typer.Argument(help="Weights that `train` wrote (.safetensors).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The .onnx file to write.")],
    name: Annotated[str, typer.Option(help="Name of the model.")] = "facings",
    version: Annotated[str, typer.Option(help="Version of the model.")] = "1",
    trained_on: Annotated[str, typer.Option(help="Which photos.")] = UNNAMED_PHOTOS,
    licence: Annotated[str, typer.Option(help="Licence of the weights.")] = AGPL,
    as_json: Annotated[bool, typer.Option("--json", help="Print the facts as JSON.")] = False,
) -> None:
    """Write weights as an ONNX model that a node runs without torch.

    Batch, height and width stay free; the answer is every place's box and score, doubles not
    yet suppressed. Name, version, photos, licence, size and a hash go into the file.

    Example: storepulse vision export runs/bays/latest.safetensors -o bays.onnx --version 2
    --trained-on "our 300 bays, autumn 2026"
    """
    with _plain_errors():
        _need_torch()
        from vision.training.export import export_onnx, weights_sha256
        from vision.training.network import build_network, load_weights

        facts = ModelFacts(name, version, trained_on, licence)
        network = build_network()
        load_weights(network, weights)
        export_onnx(network, output, facts=facts)
        if as_json:
            typer.echo(json.dumps(facts.as_properties(weights_sha256=weights_sha256(network))))
        else:
            typer.echo(output)


@app.command()
def measure(
    model: Annotated[Path, typer.Argument(help="An exported model (.onnx).")],
    sources: Annotated[
        list[str], typer.Argument(help="Labelled photos, as for `train`; none trained on.")
    ],
    split: Annotated[
        str | None, typer.Option(help="Use the COCO images of this split only.")
    ] = None,
    long_side: Annotated[
        int, typer.Option(help="Photos are resized to this long side, in pixels.", min=32)
    ] = 1280,
    threads: Annotated[int, typer.Option(help="Cores to use.", min=1)] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure a model: average precision as COCO does it, ignored regions left out.

    Example: storepulse vision measure vision/weights/facings.onnx bays/checked.json --json
    """
    with _plain_errors():
        from vision.training.detect import load_detector
        from vision.training.evaluate import measure as measure_detector

        labels = read_sources(sources, split=split)
        detector = load_detector(model, long_side_px=long_side, threads=threads)
        with TALK.status(f"measuring on {len(labels.photos)} photos"):
            figures = measure_detector(detector, labels)
        if as_json:
            typer.echo(json.dumps(asdict(figures)))
        else:
            typer.echo(
                f"AP50 {figures.ap50:.3f}  AP75 {figures.ap75:.3f}  AP {figures.ap:.3f}  "
                f"recall {figures.recall50:.3f}  "
                f"({figures.photos} photos, {figures.facings} facings)"
            )


@app.command()
def calibrate(
    model: Annotated[Path, typer.Argument(help="An exported model (.onnx); it is changed.")],
    sources: Annotated[
        list[str], typer.Argument(help="Labelled photos, as for `train`; best none trained on.")
    ],
    split: Annotated[
        str | None, typer.Option(help="Use the COCO images of this split only.")
    ] = None,
    looks: Annotated[
        str | None,
        typer.Option(help='How photos are shown to it from now on, as "1280 1440m" (m: mirrored).'),
    ] = None,
    photos: Annotated[int, typer.Option(help="So many photos at most.", min=1)] = 40,
    threads: Annotated[int, typer.Option(help="Cores to use.", min=1)] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Make a model's scores say how often it is right, and write that into its file.

    Example: storepulse vision calibrate runs/bays/latest.onnx bays/checked.json
    --looks "1280 1440m"
    """
    with _plain_errors():
        _need_torch()
        from vision.calibration import PROPERTY, Calibration
        from vision.detector import Detector
        from vision.look import WHOLE_CURVE
        from vision.training.calibrating import calibration_error, fit_to, see
        from vision.training.export import add_properties

        some = read_sources(sources, split=split).photos
        # Evenly from all: neighbours in a file are often of one store.
        chosen = [some[place * len(some) // photos] for place in range(min(photos, len(some)))]
        chosen = chosen if len(some) > photos else list(some)
        properties = {PROPERTY: Calibration().in_words()}
        add_properties(model, properties if looks is None else properties | {"looks": looks})
        with TALK.status(f"looking at {len(chosen)} photos"):
            judged = see(Detector(model, threads=threads), chosen, WHOLE_CURVE)
        found = fit_to(judged)
        add_properties(model, {PROPERTY: found.in_words()})
        said = {
            "model": str(model), "photos": len(chosen), "calibration": found.in_words(),
            "error_before": round(calibration_error(judged), 4),
        }  # fmt: skip
        typer.echo(json.dumps(said) if as_json else found.in_words())


app.command("train-gaps")(train_gaps)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Let a setting that cannot be end as bad input does: one line and exit code 2."""
    try:
        yield
    except ValueError as error:
        raise TrainingError(str(error)) from error


def _need_torch() -> None:
    for package in ("torch", "ultralytics", "safetensors", "onnx"):
        if importlib.util.find_spec(package) is None:
            raise TrainingError(
                f"training needs {package}, which is not installed: pip install 'storepulse[train]'"
            )


def _keep_apart(labels: Labels, held_out: Labels | None) -> None:
    taught = {photo.path.resolve() for photo in labels.photos}
    for photo in held_out.photos if held_out else ():
        if photo.path.resolve() in taught:
            raise TrainingError(
                f"{photo.path.name} is trained on and measured on; figures would flatter. "
                "Use --split, or take it out of one of them"
            )


def _say_figures(figures: "dict[str, Figures]") -> None:
    for name, figure in figures.items():
        TALK.print(f"{name}: AP50 {figure.ap50:.3f}, AP {figure.ap:.3f}", highlight=False)


@contextmanager
def _progress(
    photo_count: int,
) -> "Iterator[tuple[Callable[[Step], None], Callable[[object], None]]]":
    """Show two bars on a terminal, and a line every 20 steps where stderr is a file."""
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=TALK,
        disable=not TALK.is_terminal,
    )
    looking = bars.add_task("looking for forgotten facings", total=photo_count, note="")
    training = bars.add_task("training", total=1.0, note="")

    def report(step: "Step") -> None:
        note = f"{step.iteration} loss {step.loss:.3f} {step.step_s:.2f} s/it"
        bars.update(training, completed=step.done_share, note=note)
        if not TALK.is_terminal and step.iteration % LOG_EVERY_ITERATIONS == 0:
            TALK.print(f"{step.done_share:.3f} {note}", highlight=False)

    def relabelled(_: object) -> None:
        bars.advance(looking)

    with bars:
        yield report, relabelled
