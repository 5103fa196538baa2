"""`storepulse eval`: print the figures of docs/proof.md from data one can point at. Thin.

Each measure is a module beside this one, imported only when it is asked for: most need the
libraries of one part alone.
"""

from pathlib import Path
from typing import Annotated

import typer

from storepulse.errors import BadInput
from storepulse.eval.clerk_commands import app as clerk
from storepulse.eval.data_folders import need
from storepulse.eval.hub_commands import app as hub
from storepulse.eval.judgement_commands import app as judgement
from storepulse.eval.listening_commands import app as listening
from storepulse.eval.options import (
    SHELVES,
    AsJson,
    Model,
    Seed,
    Shelves,
    Threads,
    say,
)
from storepulse.eval.progress import on_stderr

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # it would print local values: raw frames
    help="Print the figures of docs/proof.md from data one can point at.",
)

app.add_typer(judgement)
app.add_typer(listening)
app.add_typer(hub)
app.add_typer(clerk)


@app.callback()
def _top() -> None:
    """Print the figures of docs/proof.md from data one can point at."""


@app.command("facings", epilog="storepulse eval facings --data ../shared/data/shelves --json")
def facings_command(
    data: Shelves, model: Model = None, threads: Threads = 2, seed: Seed = 0,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """AP50 and AP of the detector on photos with checked boxes, also by where they came from."""
    need(data, "checked.json", "images")  # before the model is loaded
    from storepulse.eval.facings import eyes, measure_facings

    say(measure_facings(data, eyes(model, threads=threads), seed=seed, steps=on_stderr), as_json)


@app.command("conditions", epilog="storepulse eval conditions --data ../shared/data/shelves --json")
def conditions_command(
    data: Shelves, model: Model = None, threads: Threads = 2, seed: Seed = 0,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """What a turned camera, little light, blur, glare and low resolution cost the detector."""
    need(data, "checked.json", "images")
    from storepulse.eval.conditions import eyes, measure_conditions

    see = eyes(model, threads=threads)
    say(measure_conditions(data, see, seed=seed, steps=on_stderr), as_json)


@app.command(
    "gaps",
    epilog="storepulse eval gaps --data ../shared/data/gaps --shelves ../shared/data/shelves",
)
def gaps_command(
    data: Annotated[Path, typer.Option("--data", help="Folder of gaps: gaps.json, images/.")],
    shelves: Annotated[
        Path | None,
        typer.Option("--shelves", help="Folder of full shelves: checked.json, images/."),
    ] = None,
    model: Model = None,
    gap_model: Annotated[
        Path | None, typer.Option("--gap-model", help="Another gap network than the one inside.")
    ] = None,
    threads: Threads = 2,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """AP50 of empty places on kept-out groups of pictures, and false ones on full shelves."""
    need(data, "gaps.json", "images")
    from storepulse.eval.gaps import eyes, measure_gaps

    see = eyes(model, gap_model, threads=threads)
    say(measure_gaps(data, shelves, see, seed=seed, steps=on_stderr), as_json)


@app.command("tags", epilog="storepulse eval tags --data ../shared/data/tags --json")
def tags_command(
    data: Annotated[Path, typer.Option("--data", help="Folder with tags.json and crops.csv.")],
    model: Model = None, threads: Threads = 2, seed: Seed = 0, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Share of labelled price tags that are found, and of known prices that are read right."""
    need(data, "tags.json", "photos", "crops.csv", "crops")
    from storepulse.eval.tags import measure_tags
    from vision.look import Looker
    from vision.tags.rapid import RapidReader

    reader = RapidReader(threads=threads)
    looker = Looker(model, threads=threads)
    say(measure_tags(data, looker, reader, seed=seed, steps=on_stderr), as_json)


@app.command("rows", epilog="storepulse eval rows --data ../shared/data/shelves --json")
def rows_command(
    data: Shelves, model: Model = None, threads: Threads = 2, seed: Seed = 0,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Recall of labelled shelf rows."""
    need(data, "rows.json", "checked.json", "images")
    from storepulse.eval.rows import measure_rows
    from vision.look import Looker

    looker = Looker(model, threads=threads)
    say(measure_rows(data, looker, seed=seed, steps=on_stderr), as_json)


@app.command(
    "exposures", epilog="storepulse eval exposures --data ../shared/data/shelves --trials 2 --json"
)
def exposures_command(
    data: Shelves,
    photos: Annotated[
        int | None, typer.Option(min=1, help="So many photos, chosen by seed; without: all.")
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Pairs of exposures of each photo.")] = 1,
    model: Model = None,
    threads: Threads = 2,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Second exposures of shelves: erased facings found, false findings on untouched ones."""
    need(data, "checked.json", "images")
    from storepulse.eval.exposures import measure_exposures
    from vision.look import Looker

    report = measure_exposures(
        data, Looker(model, threads=threads), photos_max=photos, trials=trials, seed=seed,
        steps=on_stderr,
    )  # fmt: skip
    say(report, as_json)


@app.command(
    "findings", epilog="storepulse eval findings --data ../shared/data/shelves --photos 10"
)
def findings_command(
    data: Shelves,
    photos: Annotated[
        int | None, typer.Option(min=1, help="So many photos, chosen by seed; without: all.")
    ] = None,
    model: Model = None,
    threads: Threads = 2,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Harder second photos by condition: false findings, recall, and what confidence is worth."""
    need(data, "checked.json", "images")
    from storepulse.eval.findings import measure_findings
    from vision.look import Looker

    looker = Looker(model, threads=threads)
    say(measure_findings(data, looker, photos_max=photos, seed=seed, steps=on_stderr), as_json)


@app.command("pairs", epilog="storepulse eval pairs --data ../shared/data/layouts")
def pairs_command(
    data: Annotated[Path, typer.Option("--data", help="Folder with tobacco_photos/.")],
    photos: Annotated[int | None, typer.Option(min=1, help="At most so many pairs.")] = None,
    odd: Annotated[
        bool, typer.Option("--odd", help="Those looked at while building, in place of the others.")
    ] = False,
    model: Model = None,
    threads: Threads = 2,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Real second photos of unchanged shelves: false findings, and recall of erased facings."""
    need(data, "tobacco_photos")
    from storepulse.eval.findings import measure_pairs
    from vision.look import Looker

    looker = Looker(model, threads=threads)
    report = measure_pairs(data, looker, odd=odd, photos_max=photos, seed=seed, steps=on_stderr)
    say(report, as_json)


@app.command(
    "answer-time", epilog="storepulse eval answer-time --data ../shared/data/shelves --json"
)
def answer_time_command(
    data: Shelves,
    runs: Annotated[int, typer.Option(min=1, max=1000, help="Looks at each photo.")] = 20,
    model: Model = None,
    threads: Threads = 2,
    as_json: AsJson = False,
) -> None:
    """From a 12-megapixel JPEG to the observation, the model being loaded: p50 and p95."""
    from storepulse.eval.answer_time import measure_answer_time

    report = measure_answer_time(data, model=model, threads=threads, runs=runs, steps=on_stderr)
    say(report, as_json)


@app.command("ar", epilog="storepulse eval ar --data ../shared/data/shelves --videos 10 --json")
def ar_command(
    data: Annotated[
        Path | None, typer.Option("--data", help=f"{SHELVES} Without: drawn shelves alone.")
    ] = None,
    videos: Annotated[int, typer.Option(min=2, help="So many shelves of either kind.")] = 10,
    every_picture: Annotated[
        bool,
        typer.Option(
            "--every-picture", help="Leave no picture out: for a machine that is busy otherwise."
        ),
    ] = False,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Marks on the live picture, by the built worker: error, time, lost, strangers."""
    if data is not None:
        need(data, "checked.json", "rows.json", "images")
    from storepulse.eval.ar import measure_ar
    from storepulse.eval.live_page import live_page

    with live_page(every_picture=every_picture) as page:
        say(measure_ar(data, page, videos=videos, seed=seed, steps=on_stderr), as_json)


@app.command("products", epilog="storepulse eval products --data ../shared/data/products --json")
def products_command(
    data: Annotated[Path, typer.Option("--data", help="Folder of named product pictures.")],
    keep: Annotated[
        Path | None, typer.Option(help="Keep the compared prints here (.npz), or use kept ones.")
    ] = None,
    episodes: Annotated[int, typer.Option(min=1, help="Catalogues drawn a fold and way.")] = 25,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for weights of all classes.")
    ] = None,
    threads: Threads = 2,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Products named from 5 references, 1, or a packshot; classes rotate, unknown ones refused."""
    need(data, "pictures.csv")
    try:
        from storepulse.eval.products import measure_products
    except ModuleNotFoundError as error:
        raise BadInput(
            f"`storepulse eval products` learns weights and needs {error.name}, which is not "
            "installed here: pip install 'storepulse[train]'"
        ) from error
    from vision.products.embedding import Embedder

    report = measure_products(
        data, embedder=Embedder(threads=threads), kept=keep, episodes=episodes, output=output,
        seed=seed, steps=on_stderr,
    )  # fmt: skip
    say(report, as_json)


@app.command("neighbours", epilog="storepulse eval neighbours --data ../shared/data/shelves --json")
def neighbours_command(
    data: Shelves, threads: Threads = 2, seed: Seed = 0, as_json: AsJson = False
) -> None:
    """Facings of one photo, grouped by eye: is the likest other facing the same product?"""
    need(data, "images")
    from storepulse.eval.neighbours import measure_neighbours
    from vision.products.embedding import Embedder
    from vision.products.judgement import read_judgement

    report = measure_neighbours(
        data, embedder=Embedder(threads=threads), judgement=read_judgement(), seed=seed,
        steps=on_stderr,
    )  # fmt: skip
    say(report, as_json)


@app.command("verdict", epilog="storepulse eval verdict --data ../shared/data/shelves --json")
def verdict_command(
    data: Shelves,
    edges: Annotated[
        Path | None,
        typer.Option(
            help="File of measured edges, written if missing; without: those we measured."
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=5, help="Good photos, and of each mishap.")] = 200,
    looks: Annotated[
        Path | None,
        typer.Option(help="Folder for what the detector said: a run that was stopped goes on."),
    ] = None,
    model: Model = None,
    threads: Threads = 2,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Photos refused, useless ones by reason, and good ones, before the look and after it."""
    need(data, "boxes.json", "checked.json", "images")
    from storepulse.eval.kept_looks import KeptLooks
    from storepulse.eval.verdict import MEASURED_EDGES, edges_of, measure_verdict
    from vision.detector import Detector
    from vision.training.labels import read_coco

    labelled = read_coco(data / "checked.json", data / "images").photos
    known = edges_of(
        edges or MEASURED_EDGES, labelled, model, threads=threads, seed=seed, steps=on_stderr
    )
    kept = KeptLooks(Detector(model, threads=threads), looks)
    told = measure_verdict(data, known, kept, count=count, seed=seed, steps=on_stderr)
    say(told, as_json)


@app.command("faces", epilog="storepulse eval faces --data ../shared/data/shelves --json")
def faces_command(
    data: Shelves,
    photos: Annotated[int, typer.Option(min=5, help="So many photos, chosen by seed.")] = 200,
    threads: Threads = 2,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Faces put into shelf photos: how many are blurred in the copy that is kept, by size."""
    need(data, "images")
    from storepulse.eval.faces import measure_faces
    from vision.faces import FaceFinder

    finder = FaceFinder(threads=threads)
    say(measure_faces(data, finder, photos=photos, seed=seed, steps=on_stderr), as_json)


@app.command("one-bay", epilog="storepulse eval one-bay --data ../shared/data/shelves --json")
def one_bay_command(
    data: Shelves,
    photos: Annotated[
        int | None, typer.Option(min=1, help="So many photos, from the first; without: all.")
    ] = None,
    model: Model = None,
    threads: Threads = 2,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Overlapping views of one bay: facings counted twice, and lost at a seam."""
    need(data, "checked.json", "images")
    from storepulse.eval.one_bay import measure_one_bay
    from vision.look import Looker

    looker = Looker(model, threads=threads)
    say(measure_one_bay(data, looker, photos=photos, seed=seed, steps=on_stderr), as_json)
