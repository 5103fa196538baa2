"""`storepulse eval bays|restocked|layouts|learn-confidence`: the judgement's measures. Thin."""

import json
from pathlib import Path
from typing import Annotated

import typer

from storepulse.eval.data_folders import need
from storepulse.eval.options import AsJson, Model, Seed, Shelves, Threads, say
from storepulse.eval.progress import on_stderr

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command("bays", epilog="storepulse eval bays --bays 1000 --json")
def bays_command(
    bays: Annotated[int, typer.Option(min=5, help="So many drawn bays.")] = 1000,
    keep: Annotated[
        Path | None,
        typer.Option(help="Keep what each bay gave in this folder, or use what is kept."),
    ] = None,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Bays at a time.")] = 1,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Generated bays without pixels: F1 by kind of finding, clean and noisy.

    With --keep a run that was stopped goes on where it was; another state of the code begins anew.
    """
    from storepulse.eval.bays import measure_bays

    report = measure_bays(bays=bays, seed=seed, steps=on_stderr, keep=keep, processes=processes)
    say(report, as_json)


@app.command("matching-time", epilog="storepulse eval matching-time --facings 300 --json")
def matching_time_command(
    facings: Annotated[int, typer.Option(min=50, help="Planned, and seen in whole views.")] = 300,
    bays: Annotated[int, typer.Option(min=1, help="So many drawn bays.")] = 10,
    runs: Annotated[int, typer.Option(min=1, help="Times that each is matched.")] = 10,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """CPU time of matching facings with positions: registered, by rows, by several maps."""
    from storepulse.eval.matching_time import measure_matching_time

    say(measure_matching_time(
        facings=facings, bays=bays, runs=runs, seed=seed, steps=on_stderr
    ), as_json)  # fmt: skip


@app.command(
    "restocked", epilog="storepulse eval restocked --data ../shared/data/shelves --trials 2"
)
def restocked_command(
    data: Shelves,
    photos: Annotated[
        int | None, typer.Option(min=1, help="So many photos, chosen by seed; without: all.")
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Pairs of exposures of each photo.")] = 2,
    harder: Annotated[
        bool,
        typer.Option(
            "--harder", help="Also 30 degrees, a quarter of the light, half the bay, half the size."
        ),
    ] = False,
    model: Model = None,
    threads: Threads = 2,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Restocked shelves exposed again, five deviations planted: F1, calibration, intervals.

    Each is judged registered, by rows and sequences, and without any reference photo.
    """
    need(data, "checked.json", "images")
    from storepulse.eval.restocked import measure_restocked
    from vision.look import Looker

    report = measure_restocked(
        data, Looker(model, threads=threads), photos_max=photos, trials=trials, harder=harder,
        seed=seed, steps=on_stderr,
    )  # fmt: skip
    say(report, as_json)


@app.command("layouts", epilog="storepulse eval layouts --data ../shared/data/layouts --json")
def layouts_command(
    data: Annotated[Path, typer.Option("--data", help="Folder with tobacco_shelves.csv.")],
    photos: Annotated[int | None, typer.Option(min=1, help="At most so many photos.")] = None,
    draw: Annotated[
        Path | None, typer.Option(help="Draw the ten photos that agree least into this folder.")
    ] = None,
    model: Model = None,
    threads: Threads = 2,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Labelled layouts as planograms with planted deviations; rows and order seen on photos."""
    need(data, "tobacco_shelves.csv", "tobacco_photos.csv", "tobacco_photos")
    from storepulse.eval.layouts import measure_layouts
    from vision.look import Looker

    report = measure_layouts(
        data, Looker(model, threads=threads), photos_max=photos, draw=draw, seed=seed,
        steps=on_stderr,
    )  # fmt: skip
    say(report, as_json)


@app.command(
    "bay-recognition", epilog="storepulse eval bay-recognition --data ../shared/data/shelves"
)
def bay_recognition_command(
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder of shelf photos; without: a shop of drawn bays."),
    ] = None,
    photos: Annotated[
        int | None, typer.Option(min=2, help="So many photos as bays, chosen by seed; or bays.")
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Photos of each bay.")] = 2,
    harder: Annotated[
        bool,
        typer.Option(
            "--harder", help="Also 30 degrees, a quarter of the light, half the bay, half the size."
        ),
    ] = False,
    model: Model = None,
    threads: Threads = 2,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Which bay a photo shows: right first, right, not sure, wrong; and time.

    One shop of all bays; its photos are second exposures of restocked shelves.
    """
    from storepulse.eval.bay_recognition import measure_bay_recognition, measure_drawn_shop

    if data is None:
        report = measure_drawn_shop(
            bays=photos or 24, trials=trials, harder=harder, seed=seed, steps=on_stderr
        )
        say(report, as_json)
        return
    need(data, "checked.json", "images")
    from vision.look import Looker

    report = measure_bay_recognition(
        data, Looker(model, threads=threads), photos_max=photos, trials=trials, harder=harder,
        seed=seed, steps=on_stderr,
    )  # fmt: skip
    say(report, as_json)


@app.command("after-photos", epilog="storepulse eval after-photos --data ../shared/data/shelves")
def after_photos_command(
    data: Shelves,
    photos: Annotated[
        int | None, typer.Option(min=1, help="So many photos, chosen by seed; without: all.")
    ] = None,
    model: Model = None,
    threads: Threads = 2,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """What a later photo may close: mended places look changed, others do not."""
    need(data, "checked.json", "images")
    from storepulse.eval.after_photos import measure_after_photos
    from vision.look import Looker

    report = measure_after_photos(
        data, Looker(model, threads=threads), photos_max=photos, seed=seed, steps=on_stderr
    )
    say(report, as_json)


@app.command(
    "learn-confidence",
    epilog="storepulse eval learn-confidence --data ../shared/data/shelves --photos 48",
)
def learn_confidence_command(
    data: Shelves,
    photos: Annotated[int | None, typer.Option(min=5, help="So many train photos.")] = None,
    keep: Annotated[
        Path | None,
        typer.Option(help="Keep what each photo teaches in this folder, or use what is kept."),
    ] = None,
    model: Model = None,
    threads: Threads = 2,
    seed: Seed = 0,
) -> None:
    """Learn the curves of planograms/confidence.py anew from train photos; prints them."""
    need(data, "boxes.json", "images")
    from storepulse.eval.findings import chosen, photos_of
    from storepulse.eval.learn_confidence import learn_from
    from vision.look import Looker

    paths = chosen(photos_of(data, "train"), photos, seed)
    looker = Looker(model, threads=threads)
    curves = learn_from(paths, looker, keep=keep, seed=seed, steps=on_stderr)
    typer.echo(json.dumps({name: [c.level, c.weights] for name, c in curves.items()}))
