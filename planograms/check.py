"""`storepulse check`: a photo against its planogram. Thin: the work is in `judge`."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from planograms.drawing import draw_marks, marks_of
from planograms.files import PICTURE_SUFFIXES, read_planogram, write_picture
from planograms.judge import Judgement, judge_observation, judgement_as_json, prepare
from planograms.pictures import Pixels
from planograms.prices import prices_of, with_wrong
from planograms.scores import Score
from vision.faces import blur_faces
from vision.photos import Photo
from vision.tags.reading import TagReader

app = typer.Typer(add_completion=False, help="Compare a photo with its planogram.")


@app.command()
def check(
    photo: Annotated[Path, typer.Argument(help="The photo to check.")],
    planogram: Annotated[Path, typer.Option(help="What the bay should show.")],
    as_json: Annotated[bool, typer.Option("--json", help="As one line of JSON.")] = False,
    annotate: Annotated[
        Path | None,
        typer.Option(help=f"Draw the findings into this picture ({', '.join(PICTURE_SUFFIXES)})."),
    ] = None,
    prices: Annotated[
        bool,
        typer.Option("--prices", help="Read the price tags too. Needs storepulse\\[ocr]; seconds."),
    ] = False,
    model: Annotated[
        Path | None, typer.Option(help="A detector (.onnx) other than the packaged one.")
    ] = None,
) -> None:
    """Say what differs from the planogram, and how much of it is kept.

    With --prices also whose tag asks for another price than planned. Ends with exit code 2 if the
    photo is refused.

    Example: storepulse check shelf.jpg --planogram plan.json --annotate out.png
    """
    from vision.look import Looker

    ready = prepare(read_planogram(planogram))
    # First of all, so that a library that is not installed is told before the work.
    reader = _reads_tags() if prices else None
    seen, observation = Looker(model).look_at(photo)
    judgement = judge_observation(seen, observation, ready)
    compliance = None
    if reader is not None:
        judgement = replace(judgement, observation=reader.read(photo, observation))
        found = prices_of(judgement, ready.planogram)
        compliance = found.compliance
        judgement = with_wrong(judgement, ready.planogram, found.wrong)
    if annotate is not None:
        write_picture(annotate, annotated(seen, judgement))
    if as_json:
        data = judgement_as_json(judgement)
        if compliance is not None:
            data["price_compliance"] = asdict(compliance)
        typer.echo(json.dumps(data, ensure_ascii=False))
    if observation.photo.verdict == "refused":
        talk = Console(stderr=True, soft_wrap=True, highlight=False)
        why = " ".join(observation.photo.reasons)
        talk.print(f"storepulse: {photo}: refused: {why}", markup=False)
        raise typer.Exit(2)
    if not as_json:
        _print(judgement)
        if compliance is not None:
            words = f"prices as planned: {in_words(compliance)}"
            Console(soft_wrap=True).print(words, markup=False)


def _reads_tags() -> TagReader:
    """Raises `NoTextReader` where the library is not installed."""
    from vision.tags.rapid import RapidReader

    return TagReader(RapidReader(threads=2))


def annotated(photo: Photo, judgement: Judgement) -> Pixels:
    """The findings on a copy of the photo that may be kept: faces are blurred in it.

    Raises:
        NoFaceFinder: faces cannot be blurred here.
    """
    kept, _ = blur_faces(photo.rgb)
    marks = marks_of(judgement.findings)
    return draw_marks(kept, marks, scale=photo.scale, note=not_told(judgement))


def not_told(judgement: Judgement) -> str:
    """What the photo did not tell, in words; empty when it told all."""
    out = []
    for status, words in (("unobserved", "not in view"), ("unsure", "unsure, take a close-up")):
        count = sum(state.status == status for state in judgement.positions)
        if count:
            out.append(f"{words}: {count}")
    return " · ".join(out)


def _print(judgement: Judgement) -> None:
    console = Console(soft_wrap=True)
    if judgement.findings:
        table = Table("", "finding", "position", "sku", "seen", "confidence")
        for number, finding in enumerate(judgement.findings, 1):
            table.add_row(
                str(number), finding.kind.replace("_", " "), finding.position or "",
                finding.sku or "", finding.seen or "", f"{finding.confidence:.2f}",
            )  # fmt: skip
        console.print(table)
    else:
        console.print("as planned")
    if words := not_told(judgement):
        console.print(words, markup=False)
    scores = judgement.scores
    basis = "" if scores.exposure_basis == "main_push" else " (no product is marked: all facings)"
    for name, score in (
        (f"exposure of main push{basis}", scores.exposure_main_push),
        ("positions kept", scores.position_compliance),
        ("facings kept", scores.facing_compliance),
        ("products on the shelf", scores.on_shelf_availability),
    ):
        console.print(f"{name}: {in_words(score)}", markup=False)


def in_words(score: Score) -> str:
    """A score as people read it."""
    if score.value is None or score.low is None or score.high is None:
        return "unknown, nothing of it was in view"
    return (
        f"{100 * score.value:.0f} % ({100 * score.low:.0f} to {100 * score.high:.0f} %), "
        f"{score.n} in view, {100 * score.coverage:.0f} % of the plan"
    )
