"""`storepulse vision`: look at photos, time and survey it, train. Thin: the work is elsewhere."""

import json
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from PIL import Image
from pydantic import TypeAdapter
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table
from typer.core import TyperCommand, TyperGroup

from storepulse.errors import BadInput
from vision.bench import Bench
from vision.bench import bench as run_bench
from vision.drawing import draw_observation
from vision.errors import UnreadablePhoto
from vision.faces import blur_faces
from vision.look import WHOLE_CURVE, Looker, LooksAt
from vision.observation import Observation, told
from vision.one_bay import BAY_JSON, Bay, fuse
from vision.photos import Photo
from vision.products.cli import index, recognise
from vision.survey import Survey, read_row_labels, sum_up

TRAINING: Final = {
    "train": "Train a detector of facings on your own labelled photos.",
    "export": "Write a trained detector as ONNX.",
    "measure": "Average precision of a detector on labelled photos.",
    "calibrate": "Make a detector's scores say how often it is right.",
    "train-gaps": "Train the gap network on pictures with labelled gaps.",
}
"""Commands of `vision.training.cli`, which the base install need not have."""

TALK: Final = Console(stderr=True, soft_wrap=True, highlight=False)


class TrainingMissing(BadInput):
    """A command of the training pipeline, whose libraries are not installed here."""


class _Commands(TyperGroup):
    """Our commands and, imported only when asked for, those of the training."""

    # Typer carries a click of its own whose types are private: hence Any.

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *TRAINING]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in TRAINING:
            return super().get_command(ctx, cmd_name)
        try:
            training = typer.main.get_command(import_module("vision.training.cli").app)
        except ModuleNotFoundError as error:
            return _what_is_missing(cmd_name, str(error.name))
        assert isinstance(training, TyperGroup)
        return training.get_command(ctx, cmd_name)


def _what_is_missing(name: str, module: str) -> TyperCommand | TyperGroup:
    """A command that takes anything and says what to install."""
    instead = typer.Typer()

    @instead.command(
        name,
        help=f"{TRAINING[name]} Needs: pip install 'storepulse\\[train]'",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
    def _say() -> None:
        raise TrainingMissing(
            f"`storepulse vision {name}` needs {module}, which is not installed: "
            "pip install 'storepulse[train]'"
        )

    command = typer.main.get_command(instead)
    assert isinstance(command, TyperCommand | TyperGroup)
    return command


app = typer.Typer(
    add_completion=False,
    cls=_Commands,
    help="Look at shelf photos; train, measure and export the detector.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Photos = Annotated[list[Path], typer.Argument(help="JPEG, HEIC, PNG or WebP.", metavar="PHOTO...")]
Model = Annotated[
    Path | None, typer.Option("--model", help="Another detector (.onnx) than the one inside.")
]
Threads = Annotated[int, typer.Option("--threads", min=1, max=64, help="Cores to use.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON to stdout.")]


@app.command()
def look(
    photos: Photos,
    as_json: AsJson = False,
    annotate: Annotated[
        Path | None,
        typer.Option(
            help="Draw what was seen, faces blurred: a .png, or a folder for several photos."
        ),
    ] = None,
    one_bay: Annotated[
        bool,
        typer.Option("--one-bay", help="The photos overlap and show one bay: count it once."),
    ] = False,
    model: Model = None,
    threads: Threads = 2,
) -> None:
    """Say what each photo shows: verdict, facings, rows, gaps. One JSON object a line.

    With --json the facings include half-seen ones, down to a score of 0.01, marked
    "counted": false: weigh them by their score, or leave them out.

    With --one-bay overlapping photos are laid over each other and told as one, in one frame.

    Example: storepulse vision look shelf.jpg --json --annotate seen.png
    """
    if one_bay:
        if annotate is not None:
            raise BadInput("--annotate draws single photos; leave it away with --one-bay")
        look_at_one_bay(photos, Looker(model, threads=threads), as_json=as_json)
        return
    if annotate is not None:
        _check_annotate(annotate, photos)
    looker = Looker(model, threads=threads, doubtful=WHOLE_CURVE if as_json else None)
    seen: list[Observation] = []
    unreadable = False
    for path in _with_progress(photos):
        try:
            photo, found = looker.look_at(path)
        except UnreadablePhoto as error:
            TALK.print(f"storepulse: {error}", markup=False)
            unreadable = True
            continue
        if as_json:
            typer.echo(json.dumps(told(found), ensure_ascii=False, separators=(",", ":")))
        seen.append(found)
        if annotate is not None:
            folder = len(photos) > 1
            _annotate(photo, found, annotate / f"{path.stem}.png" if folder else annotate)
    if not as_json and seen:
        _print_table(seen)
    if unreadable:
        raise typer.Exit(2)


def look_at_one_bay(photos: Sequence[Path], looker: LooksAt, *, as_json: bool) -> None:
    """Print what overlapping photos show together. Raises `NotOneBay`."""
    bay = fuse([looker.look_at(path) for path in _with_progress(photos)])
    if as_json:
        typer.echo(BAY_JSON.dump_json(bay))
    else:
        Console().print(_bay_table(bay))


def _bay_table(bay: Bay) -> Table:
    table = Table(
        "photo",
        "facings best seen here",
        title=f"one bay: {len(bay.facings)} facings, {len(bay.rows)} rows, {len(bay.gaps)} gaps",
    )
    for number, photo in enumerate(bay.photos):
        here = sum(facing.photo == number for facing in bay.facings)
        table.add_row(Path(photo.file).name, str(here))
    return table


@app.command()
def bench(
    photo: Annotated[Path, typer.Argument(help="JPEG, HEIC, PNG or WebP.")],
    as_json: AsJson = False,
    runs: Annotated[int, typer.Option(min=1, max=1000, help="Looks at the photo.")] = 10,
    against_ultralytics: Annotated[
        bool,
        typer.Option(
            "--against-ultralytics", help="Time its predict too, with the same weights and size."
        ),
    ] = False,
    facings: Annotated[
        int,
        typer.Option(min=0, max=2000, help="Name so many facings too, from a drawn catalogue."),
    ] = 0,
    references: Annotated[
        int, typer.Option(min=1, max=20_000, help="Pictures in that catalogue.")
    ] = 300,
    prices: Annotated[
        bool,
        typer.Option(
            "--prices", help="Read its price tags too, as a node does. Needs storepulse\\[ocr]."
        ),
    ] = False,
    model: Model = None,
    threads: Threads = 2,
) -> None:
    """Time the stages of a look on this machine, the model being loaded, and its memory.

    Example: storepulse vision bench shelf.jpg --runs 20 --facings 200 --json
    """
    result = run_bench(
        photo,
        model=model,
        threads=threads,
        runs=runs,
        against_ultralytics=against_ultralytics,
        facings=facings,
        references=references,
        prices=prices,
    )
    if as_json:
        typer.echo(TypeAdapter(Bench).dump_json(result))
        return
    table = Table(
        "stage",
        "p50 ms",
        "p95 ms",
        title=f"{result.photo}: {result.megapixels} megapixels, {result.runs} runs, "
        f"{result.threads} threads, {result.cpu_ms_p50:.0f} ms of CPU a run, "
        f"peak {result.peak_memory_mb:.0f} MB, {result.overhead:g} times the bare decoding and "
        f"networks ({result.overhead_facings:g} times with the facings' network alone), "
        f"load {result.busy:g}"
        + (
            ""
            if result.faster_than_ultralytics is None
            else f", {result.faster_than_ultralytics:g} times as fast as ultralytics"
        )
        + (
            f"; {result.recognised} facings named from {result.references} pictures"
            if result.recognised
            else ""
        )
        + (
            f"; the time for tags ended first in {result.tags_late} runs"
            if result.tags_late
            else ""
        ),
    )
    for stage in result.stages:
        table.add_row(stage.stage, f"{stage.p50_ms:.0f}", f"{stage.p95_ms:.0f}")
    Console().print(table)


@app.command()
def survey(
    photos: Photos,
    rows: Annotated[Path | None, typer.Option(help="Labelled rows (JSON) to find ours in.")] = None,
    as_json: AsJson = False,
    model: Model = None,
    threads: Threads = 2,
) -> None:
    """Sum up looks at many photos: refused ones, facings, gaps, labelled rows met, blurs.

    Example: storepulse vision survey bays/*.webp --rows bays/rows.json --json
    """
    labels = read_row_labels(rows) if rows is not None else None
    looker = Looker(model, threads=threads)
    looks = []
    for path in _with_progress(photos):
        photo, found = looker.look_at(path)
        looks.append((found, len(blur_faces(photo.rgb)[1])))
    result = sum_up(looks, labels)
    adapter = TypeAdapter(Survey)
    if as_json:
        typer.echo(adapter.dump_json(result))
        return
    table = Table("figure", "value")
    for figure, value in adapter.dump_python(result).items():
        table.add_row(figure.replace("_", " "), "-" if value is None else str(value))
    Console().print(table)


@app.command(epilog="storepulse vision tags shelf.jpg --json")
def tags(
    photos: Photos, as_json: AsJson = False, model: Model = None, threads: Threads = 2
) -> None:
    """Read the price tags on the shelves' edges; one observation a line with --json.

    Each tag says what it asks for, what else its print can mean, and which facings stand above
    it. Ends with exit code 2 if a photo cannot be read or is refused. Needs: pip install
    'storepulse\\[ocr]'
    """
    from vision.tags.rapid import RapidReader
    from vision.tags.reading import TagReader

    reader = TagReader(RapidReader(threads=threads))
    looker = Looker(model, threads=threads)
    table = Table("photo", "price", "can also mean", "sure", "facings above", "bar code")
    were_read = 0
    for path in _with_progress(photos):
        try:
            _, found = looker.look_at(path)
            read = reader.read(path, found)
        except UnreadablePhoto as error:
            TALK.print(f"storepulse: {error}", markup=False)
            continue
        if as_json:
            typer.echo(json.dumps(told(read), ensure_ascii=False, separators=(",", ":")))
        if read.photo.reasons:
            TALK.print(f"storepulse: {path}: {' '.join(read.photo.reasons)}", markup=False)
        if read.tags is None:
            continue
        were_read += 1
        for tag in read.tags:
            money = f"{tag.price} {tag.currency or ''}".strip()
            others = ", ".join(str(price) for price in tag.readings[1:])
            table.add_row(
                escape(path.name), money, others, f"{tag.score:.2f}", str(len(tag.facings)),
                tag.gtin or "",
            )  # fmt: skip
    if were_read and not as_json:
        Console().print(table)
    if were_read < len(photos):
        raise typer.Exit(2)


app.command()(recognise)
app.command()(index)


def _with_progress(photos: Sequence[Path]) -> Iterable[Path]:
    if len(photos) < 2:
        return photos
    return track(photos, "looking", console=TALK, transient=True)


def _check_annotate(annotate: Path, photos: Sequence[Path]) -> None:
    """Before any work: several photos need a folder, and none may be drawn over another."""
    if len(photos) == 1:
        if annotate.suffix.lower() != ".png":
            raise BadInput(f"--annotate {annotate}: for one photo give a file that ends in .png")
        return
    names = [path.stem for path in photos]
    if len(set(names)) < len(names):
        raise BadInput("--annotate: two of the photos have one name; draw them in two runs")
    if annotate.suffix or annotate.is_file():
        raise BadInput(f"--annotate {annotate}: for several photos give a folder")
    annotate.mkdir(parents=True, exist_ok=True)


def _annotate(photo: Photo, seen: Observation, out: Path) -> None:
    kept, _ = blur_faces(photo.rgb)
    picture = draw_observation(kept, photo.scale, seen)
    try:
        Image.fromarray(picture).save(out)
    except OSError as error:
        raise BadInput(f"--annotate {out}: cannot be written ({error.strerror})") from error


def _print_table(seen: Sequence[Observation]) -> None:
    table = Table("photo", "verdict", "facings", "rows", "gaps", "ms")
    for found in seen:
        table.add_row(
            Path(found.photo.file).name,
            "\n".join((found.photo.verdict, *found.photo.reasons)),
            str(len(found.facings)),
            str(len(found.rows)),
            str(len(found.gaps)),
            f"{found.timings_ms['total']:.0f}",
        )
    Console().print(table)
