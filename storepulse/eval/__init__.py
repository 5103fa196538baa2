"""`storepulse eval`: print the figures of docs/proof.md from data one can point at. Thin.

Each measure is a module beside this one, imported only when it is asked for: most need the
libraries of one part alone.
"""

import json
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from storepulse.errors import BadInput
from storepulse.eval.data_folders import need
from storepulse.eval.figures import Report, as_json, as_table
from storepulse.eval.progress import TALK, on_stderr

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # it would print local values: raw frames
    help="Print the figures of docs/proof.md from data one can point at.",
)

_FILE_COLUMNS: Final = 110
_SHELVES: Final = "Folder of shelf photos: checked.json, rows.json, images/, full/."
_PROBES: Final = "Folder of reference captures: devices/, devices-2/, occupancy/, parser/."

Shelves = Annotated[Path, typer.Option("--data", help=_SHELVES)]
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


@app.callback()
def _top() -> None:
    """Print the figures of docs/proof.md from data one can point at."""


def _say(report: Report, as_json_: bool) -> None:
    if as_json_:
        typer.echo(json.dumps(as_json(report)))
    else:
        console = Console()
        wide = console if console.is_terminal else Console(width=_FILE_COLUMNS)
        wide.print(as_table(report))


@app.command("facings", epilog="storepulse eval facings --data ../shared/data/shelves --json")
def facings_command(
    data: Shelves, model: Model = None, threads: Threads = 2, seed: Seed = 0,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """AP50 and AP of the detector on photos with checked boxes, also by where they came from."""
    need(data, "checked.json", "images")  # before the model is loaded
    from storepulse.eval.facings import eyes, measure_facings

    _say(measure_facings(data, eyes(model, threads=threads), seed=seed, steps=on_stderr), as_json)


@app.command("conditions", epilog="storepulse eval conditions --data ../shared/data/shelves --json")
def conditions_command(
    data: Shelves, model: Model = None, threads: Threads = 2, seed: Seed = 0,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """What a turned camera, little light, blur, glare and low resolution cost the detector."""
    need(data, "checked.json", "images")
    from storepulse.eval.conditions import eyes, measure_conditions

    see = eyes(model, threads=threads)
    _say(measure_conditions(data, see, seed=seed, steps=on_stderr), as_json)


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
    _say(measure_gaps(data, shelves, see, seed=seed, steps=on_stderr), as_json)


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
    _say(measure_rows(data, looker, seed=seed, steps=on_stderr), as_json)


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
    _say(report, as_json)


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
    _say(measure_findings(data, looker, photos_max=photos, seed=seed, steps=on_stderr), as_json)


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
    _say(report, as_json)


@app.command(
    "learn-confidence",
    epilog="storepulse eval learn-confidence --data ../shared/data/shelves --photos 48",
)
def learn_confidence_command(
    data: Shelves,
    photos: Annotated[int | None, typer.Option(min=5, help="So many train photos.")] = None,
    model: Model = None,
    threads: Threads = 2,
    seed: Seed = 0,
) -> None:
    """Learn the curves of planograms/confidence.py anew from train photos; prints them."""
    need(data, "boxes.json", "images")
    from storepulse.eval.findings import cases_of, chosen, photos_of
    from storepulse.eval.learn_confidence import learn, lesson_of
    from vision.look import Looker

    paths = chosen(photos_of(data, "train"), photos, seed)
    cases = cases_of(paths, Looker(model, threads=threads), seed=seed, steps=on_stderr)
    curves = {claim: learn(lesson_of(cases, claim)) for claim in ("missing", "wrong")}
    typer.echo(json.dumps({claim: [c.level, c.weights] for claim, c in curves.items()}))


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
    _say(report, as_json)


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
    _say(report, as_json)


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
    _say(report, as_json)


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
    model: Model = None,
    threads: Threads = 2,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Photos refused before recognition: useless ones by reason, and good ones."""
    need(data, "boxes.json", "checked.json", "images")
    from storepulse.eval.verdict import MEASURED_EDGES, edges_of, measure_verdict
    from vision.training.labels import read_coco

    labelled = read_coco(data / "checked.json", data / "images").photos
    known = edges_of(
        edges or MEASURED_EDGES, labelled, model, threads=threads, seed=seed, steps=on_stderr
    )
    _say(measure_verdict(data, known, count=count, seed=seed, steps=on_stderr), as_json)


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
    _say(measure_faces(data, finder, photos=photos, seed=seed, steps=on_stderr), as_json)


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
    _say(measure_one_bay(data, looker, photos=photos, seed=seed, steps=on_stderr), as_json)


@app.command("occupancy", epilog="storepulse eval occupancy --data ../shared/data/probes --json")
def occupancy_command(
    data: Probes,
    first: Annotated[
        str | None,
        typer.Option("--from", help="First day; without: after the calibration's last one."),
    ] = None,
    calibration: Calibrated = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """People present against head counts, on days that the calibration has not learnt from."""
    from probes.calibration import DEFAULT_CALIBRATION, read_calibration
    from probes.privacy import keep_to_itself
    from storepulse.eval.occupancy import measure_occupancy

    keep_to_itself()
    learnt = read_calibration(calibration or DEFAULT_CALIBRATION)
    _say(measure_occupancy(data, learnt, first=first, seed=seed, steps=on_stderr), as_json)


@app.command("dwell", epilog="storepulse eval dwell --data ../shared/data/probes --json")
def dwell_command(
    data: Probes,
    repeats: Annotated[int, typer.Option(min=1, help="How often phones are parted anew.")] = 2,
    hours: Annotated[
        float, typer.Option(min=0.5, max=24, help="Over which 100 visitors come in.")
    ] = 8.0,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Mean dwell of visits of known length, by phones whose pace was not learnt."""
    from probes.privacy import keep_to_itself
    from storepulse.eval.dwell import measure_dwell
    from storepulse.eval.probe_captures import read_watches

    keep_to_itself()
    watches = read_watches(data, steps=on_stderr)
    report = measure_dwell(watches, repeats=repeats, hours=hours, seed=seed, steps=on_stderr)
    _say(report, as_json)


@app.command("linking", epilog="storepulse eval linking --data ../shared/data/probes --json")
def linking_command(
    data: Probes,
    trials: Annotated[int, typer.Option(min=5, help="Crowds of each kind.")] = 20,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Phones told apart in made-up crowds of real frames: V-measure, and how many there are."""
    from probes.privacy import keep_to_itself
    from storepulse.eval.linking import measure_linking
    from storepulse.eval.probe_captures import read_watches

    keep_to_itself()
    watches = read_watches(data, steps=on_stderr)
    _say(measure_linking(watches, trials=trials, seed=seed, steps=on_stderr), as_json)


@app.command(
    "calibration",
    epilog="storepulse eval calibration --data ../shared/data/probes -o calibration.json",
)
def calibration_command(
    data: Probes,
    until: Annotated[
        str | None, typer.Option(help="Last day to learn from; without: the shipped one's.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write what was learnt.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Learn the calibration from the reference captures again, and compare the shipped one."""
    from probes.calibration import write_calibration
    from probes.privacy import keep_to_itself
    from storepulse.eval.calibration import LEARNT_UNTIL, learn_from, report_of

    keep_to_itself()
    learnt = learn_from(data, until=until or LEARNT_UNTIL, steps=on_stderr)
    if output is not None:
        try:
            write_calibration(learnt, output)
        except OSError as error:
            raise BadInput(f"--output {output} cannot be written: {error.strerror}") from error
    _say(report_of(learnt), as_json)


@app.command("parser", epilog="storepulse eval parser --data ../shared/data/probes --json")
def parser_command(data: Probes, as_json: AsJson = False) -> None:
    """Captures of every form, whole and broken: are all frames found that are there?"""
    from probes.privacy import keep_to_itself
    from storepulse.eval.parser import measure_parser

    keep_to_itself()
    _say(measure_parser(data, steps=on_stderr), as_json)


@app.command("kill", epilog="storepulse eval kill --broker mosquitto --json")
def kill_command(
    broker: Annotated[
        str | None, typer.Option(help="embedded or mosquitto; both that are installed if not said.")
    ] = None,
    facts: Annotated[int, typer.Option(min=200, help="How many facts the node says.")] = 1000,
    tls: Annotated[
        bool, typer.Option("--tls", help="Enrol the node; mutual TLS between all.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a broker.")] = False,
) -> None:
    """Kill broker, node and hub with -9 in the middle of their work, and count what arrived.

    Ends with exit code 1 if a fact or an action was lost or came twice.
    """
    from storepulse.eval.kill import brokers_asked, campaign_in_new_folder

    reports = []
    for kind in brokers_asked(broker):
        TALK.print(f"kill campaign on the {kind} broker, {facts} facts", markup=False)
        report = campaign_in_new_folder(
            kind, facts=facts, tell=lambda line: TALK.print(f"  {line}", markup=False), tls=tls
        )
        typer.echo(json.dumps(report.as_json()) if as_json else report.in_words())
        reports.append(report)
    if not all(report.ok for report in reports):
        raise typer.Exit(1)


@app.command("verdicts", epilog="storepulse eval verdicts --days 90 --export verdicts.jsonl")
def verdicts_command(
    database: Annotated[
        str | None, typer.Option("--database", help="As for `storepulse hub run`.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3660, help="Verdicts of so many days.")] = 90,
    export: Annotated[
        Path | None, typer.Option(help="Also write them as training data (JSON lines).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What clerks said of findings: how many of each kind were right?"""
    from storepulse.eval import verdicts

    told = verdicts.read_verdicts(database, since=verdicts.since_days(days))
    if export is not None:
        TALK.print(f"{export}: {verdicts.export(told, export)} verdicts", markup=False)
    _say(verdicts.report_of(told, days=days), as_json)
