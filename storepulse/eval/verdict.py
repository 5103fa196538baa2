"""How many useless photos are refused before recognition, and how many good ones.

Good photos are parts of the val photos in other light (so few photos exist: each gives several);
bad ones are such parts gone wrong, at levels on both sides of the edge at which a mishap costs the
detector ten points of AP50. The edges are measured with the detector (minutes) and can be kept in a
file. What stands for "no shelf" and "a screen" is drawn or taken from other data; the notes say so.
A photo that is not refused before is looked at by the detector, and what is refused then counts as
well: the whole verdict, as a node gives it.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from storepulse.eval.data_folders import need
from storepulse.eval.figures import Figure, Report
from storepulse.eval.kept_looks import KeptLooks
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import ratio_interval
from storepulse.simulated.mishaps import by_jpeg, surroundings
from vision.detector import Detector, Limits
from vision.gaps import WEAK_SCORE_MIN
from vision.photos import Photo, read_photo
from vision.training import mishap_edges
from vision.training.labels import LabelledPhoto
from vision.training.mishap_edges import LEVELS as EDGE_LEVELS
from vision.training.mishap_edges import Edge, measure_edge, read_edges, write_edges
from vision.training.verdict import REASON_OF
from vision.training.verdict_trials import (
    GOOD,
    LEVELS,
    NO_SHELF,
    Trial,
    at_some_size,
    level_between,
    pictures_of_no_shelf,
    read_rgb,
    shelf_photos,
    trials_of,
)
from vision.verdict import first_word, reasons_after_looking

MEASURED_EDGES: Final = Path(mishap_edges.__file__).with_suffix(".json")
"""Measured with the detector 0.1.0: moved and unfocused on all 30 val photos, the others on 12."""
AROUND: Final = (0.5, 2.5)
"""Levels from half the edge to two and a half times it, as far as a mishap goes."""
_WALLS_SHARE: Final = 0.3


@dataclass(frozen=True, slots=True)
class Told:
    """One trial and what was said of it."""

    group: str
    kind: str
    beyond: bool
    level: float
    codes: tuple[str, ...]
    ms: float
    """Of the first word alone."""
    last_ms: float | None
    """Of the last word; None: the photo was refused before the look."""


def edges_of(
    path: Path | None, labelled: Sequence[LabelledPhoto], model: Path | None,
    *, threads: int, seed: int, steps: Steps,
) -> dict[str, Edge]:  # fmt: skip
    """Measured edges, from a file where it is there, into it where it is not.

    Raises:
        BadEdges: the file is of another form, or cannot be written.
    """
    if path is not None and path.is_file():
        return read_edges(path)
    detector = Detector(model, threads=threads)
    edges = {
        mishap: measure_edge(mishap, detector, labelled, seed=seed)
        for mishap in steps(list(EDGE_LEVELS), "finding where each mishap hurts")
    }
    if path is not None:
        write_edges(edges, path)
    return edges


def measure_verdict(
    folder: Path, edges: Mapping[str, Edge], looks: KeptLooks, *, count: int, seed: int,
    steps: Steps,
) -> Report:  # fmt: skip
    """Judge `count` good photos and `count` of each mishap.

    Args:
        folder: of shelves; for "no shelf" its neighbours `products` and `tags` are used.
        looks: the detector, and what it said before.
    Raises:
        WrongData, LabelsUnreadable, UnreadablePhoto: the folder is of another form.
    """
    need(folder, "boxes.json", "images")
    photos = shelf_photos(folder, split="val")
    told: list[Told] = []
    for number, path in enumerate(steps(photos, "judging photos, good ones and bad")):
        rng = np.random.default_rng([seed, number, 0x7E57])
        levels = {
            mishap: [_level(mishap, edges.get(mishap), rng) for _ in range(each)]
            for mishap in LEVELS
            if (each := _share(count, number, len(photos)))
        }
        goods = _share(count, number, len(photos))
        for trial in trials_of(read_rgb(path), path.stem, good=goods, levels=levels, rng=rng):
            told.append(_tell(trial, edges, looks))
    for path in photos:
        told.append(_tell_of_file(path, looks))
    told += _without_shelf(folder.parent, edges, looks, count=count, seed=seed)
    return _report(told, edges, count=count, seed=seed)


def _share(count: int, number: int, groups: int) -> int:
    """How many of `count` the group of this number gives."""
    return count * (number + 1) // groups - count * number // groups


def _level(mishap: str, edge: Edge | None, rng: np.random.Generator) -> float:
    low, high = LEVELS[mishap]
    if edge is None or edge.level is None:
        return level_between(low, high, rng)
    return level_between(max(low, AROUND[0] * edge.level), min(high, AROUND[1] * edge.level), rng)


def _tell(trial: Trial, edges: Mapping[str, Edge], looks: KeptLooks) -> Told:
    edge = edges.get(trial.kind)
    beyond = trial.kind != GOOD and (
        edge is None or edge.level is None or trial.level >= edge.level
    )
    photo = Photo(trial.group, trial.rgb.shape[1], trial.rgb.shape[0], trial.rgb, 1.0)
    codes, ms, last_ms = _codes_of(photo, looks)
    return Told(trial.group, trial.kind, beyond, trial.level, codes, ms, last_ms)


def _tell_of_file(path: Path, looks: KeptLooks) -> Told:
    """A photo as it came, through the node's own reading."""
    codes, ms, last_ms = _codes_of(read_photo(path), looks)
    return Told(path.stem, "as_it_came", False, 0.0, codes, ms, last_ms)


def _codes_of(photo: Photo, looks: KeptLooks) -> tuple[tuple[str, ...], float, float | None]:
    started = time.perf_counter()
    first = first_word(photo)
    ms = (time.perf_counter() - started) * 1e3
    if first.codes:
        return first.codes, ms, None
    found, weak = looks.find_at_all(photo.rgb, [Limits(), Limits(score_min=WEAK_SCORE_MIN)])
    started = time.perf_counter()
    codes = reasons_after_looking(first, found, weak, photo.rgb)
    return codes, ms, (time.perf_counter() - started) * 1e3


def _without_shelf(
    data: Path, edges: Mapping[str, Edge], looks: KeptLooks, *, count: int, seed: int
) -> list[Told]:
    """Packs in a hand and single tags (the halves not learnt from), and drawn walls and floors."""
    rng = np.random.default_rng([seed, 0x7A11])
    told = []
    paths = pictures_of_no_shelf(data, part=1) if (data / "tags").is_dir() else []
    walls = count if not paths else round(count * _WALLS_SHARE)
    for number in rng.permutation(len(paths))[: count - walls]:
        path = paths[number]
        group = path.parent.name if path.parent.name.startswith("gs_") else path.stem
        rgb = by_jpeg(at_some_size(read_rgb(path), rng), rng)
        told.append(_tell(Trial(group, NO_SHELF, 0.0, rgb), edges, looks))
    for number in range(walls):
        width, height = (int(side) for side in rng.integers(500, 1280, 2))
        rgb = by_jpeg(surroundings(width, height, rng), rng)
        told.append(_tell(Trial(f"wall{number}", NO_SHELF, 0.0, rgb), edges, looks))
    return told


def _report(told: Sequence[Told], edges: Mapping[str, Edge], *, count: int, seed: int) -> Report:
    figures = [
        _refused([one for one in told if one.kind == GOOD], "good photos", seed),
        _refused(
            [one for one in told if one.kind == "as_it_came"], "val photos as they came", seed
        ),
    ]
    for mishap in (*LEVELS, NO_SHELF):
        mine = [one for one in told if one.kind == mishap]
        beyond = [one for one in mine if one.beyond]
        figures.append(_caught(beyond, f"{mishap}, beyond the edge", seed))
        figures.append(_named(beyond, mishap, seed))
        short = [one for one in mine if not one.beyond]
        if short:
            figures.append(_refused(short, f"{mishap}, short of the edge", seed))
        edge = edges.get(mishap)
        if edge is not None and edge.level is not None:
            far = [one for one in mine if one.level >= 2 * edge.level]
            figures.append(_caught(far, f"{mishap}, at twice the edge and more", seed))
            figures.append(Figure(name="edge", of=mishap, value=edge.level, n=edge.photos))
    before = [one.ms for one in told]
    after = [one.last_ms for one in told if one.last_ms is not None]
    for name, times in (("verdict", before), ("verdict_after_looking", after)):
        for share in (50, 95):
            value = float(np.percentile(times, share)) if times else None
            figures.append(Figure(name=f"{name}_p{share}", value=value, n=len(times), unit="ms"))
    return Report(
        measure="verdict", settings={"photos_of_each": count, "seed": seed},
        figures=tuple(figures),
        notes=(
            "good: parts of the val photos in other light, several of each; intervals by photo",
            "edges: moved and unfocused px at 1280, darkened times less light, glaring and cut_off "
            "shares, turned degrees, distant times as far",
            "off_a_screen: drawn pixels and frames, no real screen; no_shelf: packs in a hand and "
            "single tags of classes not learnt from, and drawn walls",
        ),
    )  # fmt: skip


def _groups(told: Sequence[Told]) -> list[list[Told]]:
    by_group: dict[str, list[Told]] = {}
    for one in told:
        by_group.setdefault(one.group, []).append(one)
    return list(by_group.values())


def _figure(
    name: str, told: Sequence[Told], of: str, hits: Mapping[int, bool], seed: int
) -> Figure:
    groups = _groups(told)
    over = [sum(hits[id(one)] for one in group) for group in groups]
    low, high = ratio_interval(over, [len(group) for group in groups], seed=seed)
    value = sum(over) / len(told) if told else None
    return Figure(name=name, of=of, value=value, low=low, high=high, n=len(told))


def _refused(told: Sequence[Told], of: str, seed: int) -> Figure:
    return _figure("refused", told, of, {id(one): bool(one.codes) for one in told}, seed)


def _caught(told: Sequence[Told], of: str, seed: int) -> Figure:
    return _figure("caught", told, of, {id(one): bool(one.codes) for one in told}, seed)


def _named(told: Sequence[Told], mishap: str, seed: int) -> Figure:
    reason = REASON_OF[mishap]
    hits = {id(one): reason in one.codes for one in told}
    return _figure("with_its_own_reason", told, f"{mishap}, beyond the edge", hits, seed)
