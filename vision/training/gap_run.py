"""Train the gap network from labelled gaps and shelf photos, in one folder. The rim of that run.

tiles/          lessons cut from shelf photos (real photos: do not publish the folder)
checkpoint.pt   what the same command continues from
log.csv         one line for each step
latest.onnx     the averaged network, half-precision numbers inside; latest.safetensors the same
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from vision.training.augment import Variation
from vision.training.export import export_onnx, halve_stored_numbers
from vision.training.gap_lessons import Group, Tiling, joined_all, parted, share_of, shelf_tiles
from vision.training.labels import Labels
from vision.training.loop import Step, train
from vision.training.model_facts import ModelFacts
from vision.training.network import build_network, load_weights, save_weights
from vision.training.plan import TrainingPlan

FROZEN_LAYERS: Final = 5
"""The first layers see edges and textures, which are the same for gaps; they cost half the time."""
CLASS_BRANCH: Final = "model.24.cv3."
"""What says facing or not; it begins anew."""
GAP_PICTURES_A_TILE: Final = 3.0
"""How often pictures labelled for gaps come for one tile of a shelf."""

GAP_VARIATION: Final = Variation(
    crop_px=320, long_side_px_min=272, long_side_px_max=560, aspect_max=1.6, turned_share=0.5,
    turn_degrees_sd=4.0, blurred_share=0.15, jpeg_share=0.3, brightness=0.5, hue=0.03,
    grey_share=0.05, visible_share_min=0.4,
)  # fmt: skip
"""The labelled pictures were squeezed to squares, so packs come in any aspect."""

LOG_COLUMNS: Final = ("iteration", "elapsed_s", "rate", "loss", "step_s")


@dataclass(frozen=True, slots=True, eq=False)
class GapRun:
    """What to train on and how, and the folder it happens in."""

    gaps: Labels
    groups: Mapping[str, Group]
    shelves: Labels
    start: Path
    folder: Path
    plan: TrainingPlan
    facts: ModelFacts
    part: float = 1.0
    """So large a share of the groups is used: how figures grow with labels."""


def gap_plan(*, minutes: float | None, iterations: int | None, threads: int) -> TrainingPlan:
    """The shipped network's recipe at another length."""
    return TrainingPlan(
        minutes=minutes, iterations=iterations, batch_size=16, rate=1e-3, head_rate=2e-3,
        threads=threads, checkpoint_s=120, snapshot_s=400, warm_up_iterations=60,
        average_decay=0.998,
    )  # fmt: skip


def run_gap_training(run: GapRun, *, report: Callable[[Step], None]) -> Path:
    """Train in the run's folder, or continue there; the groups that are measured on stay out.

    Returns:
        The path of the exported network.
    Raises:
        TrainingError: labels, photos, weights or checkpoint cannot be used.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(run.plan.seed)  # of the class branch, before the loop sets its own
    network = build_network()
    load_weights(network, run.start, without=(CLASS_BRANCH,))
    for name, parameter in network.named_parameters():
        if int(name.split(".")[1]) < FROZEN_LAYERS:
            parameter.requires_grad_(False)

    def snapshot(averaged: Any) -> None:
        save_weights(averaged, run.folder / "latest.safetensors", facts={"name": run.facts.name})
        export_onnx(averaged, run.folder / "latest.onnx", facts=run.facts)
        halve_stored_numbers(run.folder / "latest.onnx")

    with (run.folder / "log.csv").open("a", newline="", encoding="utf-8") as file:
        log = csv.writer(file)
        if file.tell() == 0:
            log.writerow(LOG_COLUMNS)

        def write_and_report(step: Step) -> None:
            log.writerow(
                (step.iteration, f"{step.elapsed_s:.1f}", f"{step.rate:.3g}", f"{step.loss:.4f}",
                 f"{step.step_s:.3f}")
            )  # fmt: skip
            report(step)

        averaged = train(
            network, lessons(run).photos, plan=run.plan, variation=GAP_VARIATION,
            run_dir=run.folder, report=write_and_report, snapshot=snapshot,
        )  # fmt: skip
    snapshot(averaged)
    return run.folder / "latest.onnx"


def lessons(run: GapRun) -> Labels:
    """The photos that the run is fed with, those of gaps as often as they are to come."""
    taught, _ = parted(run.gaps, run.groups)
    taught = share_of(taught, run.groups, run.part)
    tiles = shelf_tiles(
        run.shelves, run.folder / "tiles", tiling=Tiling(),
        generator=np.random.default_rng(run.plan.seed),
    )  # fmt: skip
    times = round(GAP_PICTURES_A_TILE * len(tiles.photos) / max(len(taught.photos), 1))
    return joined_all([*[taught] * max(times, 1), tiles])
