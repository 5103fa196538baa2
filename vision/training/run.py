"""One training run in one folder: labels, relabelling, loop, log, model. The rim of the pipeline.

labels.json     the labels as trained on, doubts included, in COCO form
log.csv         one line for each step
checkpoint.pt   what `train` continues from
latest.onnx     the averaged network, written anew every few minutes and at the end
latest.safetensors   the same in half precision, to start another run from
"""

import csv
import json
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision.training.augment import Variation
from vision.training.card import RunFacts, model_card
from vision.training.detect import load_detector
from vision.training.errors import CheckpointUnfit
from vision.training.evaluate import Figures, measure
from vision.training.export import export_onnx, weights_sha256
from vision.training.labels import LabelledPhoto, Labels, read_coco
from vision.training.loop import Step, train
from vision.training.model_facts import ModelFacts
from vision.training.network import build_network, load_weights, save_weights
from vision.training.plan import TrainingPlan
from vision.training.relabel import Doubt, relabel

LOG_COLUMNS = ("iteration", "elapsed_s", "rate", "loss", "box", "class", "distance", "step_s")
# The two looks of relabelling; the scale of training spans both.
LOOK_LONG_SIDES_PX = (1280, 1120)


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What to train on and how, and the folder it happens in.

    `start` None begins at random; `doubt` None trusts the labels as they are.
    """

    labels: Labels
    start: Path | None
    folder: Path
    plan: TrainingPlan
    variation: Variation
    facts: ModelFacts
    doubt: Doubt | None


def run_training(
    run: Run,
    *,
    report: Callable[[Step], None],
    relabelled: Callable[[LabelledPhoto], None],
) -> Path:
    """Train in the run's folder, or continue there; return the path of the exported model.

    Raises:
        TrainingError: labels, photos, weights or checkpoint cannot be used.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    network = build_network()
    if run.start is not None:
        load_weights(network, run.start)
    labels = run.labels
    if run.doubt is not None:
        labels = _labels_doubted(run, network, doubt=run.doubt, relabelled=relabelled)

    def snapshot(averaged: Any) -> None:
        save_weights(averaged, run.folder / "latest.safetensors", facts={"name": run.facts.name})
        export_onnx(averaged, run.folder / "latest.onnx", facts=run.facts)

    with (run.folder / "log.csv").open("a", newline="", encoding="utf-8") as file:
        log = csv.writer(file)
        if file.tell() == 0:
            log.writerow(LOG_COLUMNS)

        def write_and_report(step: Step) -> None:
            log.writerow(_log_row(step))
            file.flush()  # a run that is killed must not lose the line of its last step
            report(step)

        averaged = train(
            network,
            labels.photos,
            plan=run.plan,
            variation=run.variation,
            run_dir=run.folder,
            report=write_and_report,
            snapshot=snapshot,
        )
    snapshot(averaged)
    return run.folder / "latest.onnx"


def write_card(
    run: Run, held_out: Labels | None, *, held_out_name: str, command: str, terms: str
) -> dict[str, Figures]:
    """Measure start and result where photos are held out, and write MODEL_CARD.md.

    Args:
        held_out: photos not trained on; None measures nothing.
        held_out_name: what the card calls them.
        command: how this run can be made again.
        terms: what the terms of the photos allow, a sentence.
    Returns:
        The figures by name of the model; empty where nothing was held out.
    """
    network = build_network()
    load_weights(network, run.folder / "latest.safetensors")
    models = {f"{run.facts.name} {run.facts.version}": run.folder / "latest.onnx"}
    if run.start is not None and held_out is not None:
        first = run.folder / "start.onnx"
        if not first.exists():
            beginning = build_network()
            load_weights(beginning, run.start)
            export_onnx(beginning, first, facts=run.facts)
        models = {f"start ({run.start.name})": first} | models
    figures = {}
    if held_out is not None:
        figures = {
            name: measure(load_detector(model, threads=run.plan.threads), held_out)
            for name, model in models.items()
        }
    iterations, elapsed_s = _last_logged(run.folder / "log.csv")
    taught = run.labels
    if run.doubt is not None:
        taught = read_coco(run.folder / "labels.json", Path("/"))
    regions = [sum(len(photo.ignore) for photo in some.photos) for some in (run.labels, taught)]
    facts = RunFacts(
        photos=len(taught.photos),
        facings_labelled=run.labels.facing_count,
        facings_added=taught.facing_count - run.labels.facing_count,
        regions_doubted=regions[1] - regions[0],
        start="random weights" if run.start is None else f"`{run.start.name}`",
        minutes=elapsed_s / 60,
        iterations=iterations,
        batch_size=run.plan.batch_size,
        rate=run.plan.rate,
        made_on=f"{time.strftime('%Y-%m-%d')}, threads: {run.plan.threads}, {platform.machine()}",
        command=command,
        photo_terms=terms,
    )
    card = model_card(
        run.facts,
        facts,
        weights_sha256=weights_sha256(network),
        measured_on=held_out_name,
        figures=figures,
    )
    (run.folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    return figures


def _last_logged(path: Path) -> tuple[int, float]:
    """Return the iterations and seconds that the last line of log.csv tells."""
    with path.open(newline="", encoding="utf-8") as file:
        *_, last = csv.DictReader(file)
    return int(last["iteration"]), float(last["elapsed_s"])


def _log_row(step: Step) -> list[str]:
    return [
        str(step.iteration),
        f"{step.elapsed_s:.1f}",
        f"{step.rate:.3g}",
        *(
            f"{loss:.4f}"
            for loss in (step.loss, step.box_loss, step.class_loss, step.distance_loss)
        ),
        f"{step.step_s:.3f}",
    ]


def _labels_doubted(
    run: Run, network: Any, *, doubt: Doubt, relabelled: Callable[[LabelledPhoto], None]
) -> Labels:
    """Relabel with the starting weights, once: a continued run reads what the first one wrote."""
    kept = run.folder / "labels.json"
    if not kept.exists():
        start = run.folder / "start.onnx"
        export_onnx(network, start, facts=run.facts)
        detectors = [
            load_detector(start, long_side_px=side, score_min=0.1, threads=run.plan.threads)
            for side in LOOK_LONG_SIDES_PX
        ]
        write_coco(relabel(run.labels, detectors, doubt=doubt, report=relabelled), kept)
    labels = read_coco(kept, Path("/"))
    if [photo.path for photo in labels.photos] != [
        photo.path.resolve() for photo in run.labels.photos
    ]:
        raise CheckpointUnfit(
            f"{run.folder} was begun with other photos; train on these in a new folder"
        )
    return labels


def write_coco(labels: Labels, path: Path) -> None:
    """Write labels as COCO JSON with absolute file names and `ignore` regions."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, photo in enumerate(labels.photos, start=1):
        images.append(
            {
                "id": number,
                "file_name": str(photo.path.resolve()),
                "width": photo.width_px,
                "height": photo.height_px,
                "ignore": [_x_y_w_h(box) for box in photo.ignore],
            }
        )
        for box in photo.facings:
            annotations.append(
                {"id": len(annotations) + 1, "image_id": number, "bbox": _x_y_w_h(box)}
            )
    document = {"images": images, "annotations": annotations}
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(document), encoding="utf-8")
    unfinished.replace(path)


def _x_y_w_h(box: Any) -> list[float]:
    x1, y1, x2, y2 = (float(value) for value in box)
    return [x1, y1, x2 - x1, y2 - y1]
