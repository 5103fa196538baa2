"""Judge generated bays without pixels: F1 by kind of finding, on clean and on noisy observations.

Two ways: by rows and sequences alone, and with the place known as registration tells it. On noisy
observations a facing that the eyes missed cannot be told from one that is missing, so two truths
are told apart: what differs in what was seen, and what was changed on the shelf.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter
from scipy.optimize import linear_sum_assignment

import planograms
from planograms.claims import Facings, NoPixels
from planograms.compare import Comparison, Distances, boxes_in_order, compare
from planograms.findings import Finding
from planograms.matching import match
from planograms.model import Planogram
from planograms.placing import Planned, Seen
from storepulse.eval.figures import Figure, Report
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import ratio_interval
from storepulse.simulated import bays as drawn
from storepulse.simulated.bays import (
    CLEAN,
    NOISY,
    STRANGER,
    Deviation,
    Shown,
    draw_plan,
    show,
)
from vision import appearance, geometry
from vision.geometry import PlaneMap, boxes_of, iou, mapped_boxes, visible_share

Reals = npt.NDArray[np.float64]

KINDS: Final = ("missing", "short", "wrong_product", "misplaced", "extra", "unexpected")
NOISES: Final = {"clean": CLEAN, "noisy": NOISY}
_LEAST: Final = {"clean": 0.55, "noisy": 0.45}
"""Clean eyes know each product."""
BY_ROWS: Final = "rows and sequences"
REGISTERED: Final = "registered"
OVERLAP_MIN: Final = 0.5
_AT_A_TIME: Final = 4
"""Bays that a process is given at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Of one bay, by kind: told and true, told but not true, true but not told."""

    right: Counter[str]
    false: Counter[str]
    lost: Counter[str]
    asserted_unseen: int
    """Claims about places that are out of view."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedBay:
    """What one drawn bay gave."""

    facings: tuple[int, ...]
    """How many were seen, clean and noisy."""
    counts: Mapping[str, Counts]
    """By what was seen and the way it was judged."""


_JUDGED_BAY: Final = TypeAdapter(JudgedBay)


def measure_bays(
    *, bays: int, seed: int, steps: Steps, keep: Path | None = None, processes: int = 1
) -> Report:
    """Draw bays and judge each, clean and noisy, both ways.

    Args:
        keep: a folder with what each bay gave; a run that was stopped goes on from there.
        processes: so many bays at a time; the figures are the same.
    """
    one = partial(_kept, seed=seed, keep=keep, code="" if keep is None else _code())
    every = range(bays)
    if processes == 1:
        judged_bays = [one(number) for number in steps(every, "judging drawn bays")]
    else:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            coming = pool.map(one, every, chunksize=_AT_A_TIME)
            judged_bays = [next(coming) for _ in steps(every, "judging drawn bays")]
    told = {where: [bay.counts[where] for bay in judged_bays] for where in judged_bays[0].counts}
    figures = [
        figure for where, some in told.items() for figure in f1_figures(where, some, KINDS, seed)
    ]
    facings = round(float(np.mean([bay.facings for bay in judged_bays])), 1)
    return Report(
        measure="bays",
        settings={"bays": bays, "seed": seed, "facings_mean": facings},
        figures=tuple(figures),
        notes=(
            "boxes and likelihoods are drawn, no pixels; intervals by bay",
            "noisy: 5 % of facings missed, 3 % false ones, 5 % taken for another product; what "
            "differs is then what differs in what was seen",
            "changes alone: against what was changed on the shelf; a facing that the eyes missed "
            "is false there, and nothing in boxes and likelihoods can tell it from a missing one",
            "within a run of one product any position counts; wrong_price is not told: no tags",
        ),
    )


def judged_bay(number: int, *, seed: int) -> JudgedBay:
    """Draw one bay and judge it, clean and noisy, both ways."""
    told: dict[str, Counts] = {}
    facings = []
    plan = draw_plan(np.random.default_rng([seed, number]))
    for name, noise in NOISES.items():
        shown = show(plan, np.random.default_rng([seed, number, 1]), noise=noise)
        facings.append(len(shown.boxes_px))
        for way in (BY_ROWS, REGISTERED):
            got = judged(shown, way, seed=seed + number, least=_LEAST[name])
            told[f"{name}: {way}"] = counts(shown, got, shown.seen)
            if noise != CLEAN:
                told[f"{name}, changes alone: {way}"] = counts(shown, got, shown.planted)
    return JudgedBay(facings=tuple(facings), counts=told)


def _kept(number: int, *, seed: int, keep: Path | None, code: str) -> JudgedBay:
    """As `judged_bay`; from the folder, if the same code judged it before."""
    if keep is None:
        return judged_bay(number, seed=seed)
    file = keep / code / f"{seed}-{number}.json"
    if file.exists():
        return _JUDGED_BAY.validate_json(file.read_bytes())
    bay = judged_bay(number, seed=seed)
    file.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all: a run may be stopped at any time.
    half = file.with_suffix(".part")
    half.write_bytes(_JUDGED_BAY.dump_json(bay))
    half.replace(file)
    return bay


def _code() -> str:
    """A name for the state of all that is measured: another state begins anew."""
    files = [Path(geometry.__file__), Path(appearance.__file__), Path(drawn.__file__),
             Path(__file__), *Path(planograms.__file__).parent.glob("*.py")]  # fmt: skip
    state = sha256()
    for file in sorted(files):
        state.update(file.read_bytes())
    return state.hexdigest()[:12]


def judged(shown: Shown, way: str, *, seed: int, least: float = 0.45) -> Comparison:
    """Match and compare what is shown."""
    plane = _registered(shown, seed) if way == REGISTERED else None
    distances = likeness_drawn(shown, np.random.default_rng([seed, 0xBA]), least=least)
    order = shown.plan.in_order
    found = match(
        Planned(boxes_in_order(shown.plan), np.array([each.row for each in order])),
        Seen(shown.boxes_px, shown.rows, (shown.width, shown.height)),
        distances.to_positions,
        plane=plane,
    )  # fmt: skip
    facings = Facings(shown.boxes_px, shown.scores, shown.width, shown.height)
    return compare(shown.plan, facings, distances, found, NoPixels())


def _registered(shown: Shown, seed: int) -> PlaneMap:
    """The true map, off by a tenth of a facing or so."""
    rng = np.random.default_rng([seed, 0xBB])
    size = float(np.median(shown.boxes_px[:, 2] - shown.boxes_px[:, 0])) if len(
        shown.boxes_px) else 1.0  # fmt: skip
    x, y = rng.normal(0, 0.1 * size, 2)
    return np.asarray(np.array([[1, 0, x], [0, 1, y], [0, 0, 1]]) @ shown.plane, np.float64)


def likeness_drawn(shown: Shown, rng: np.random.Generator, *, least: float = 0.45) -> Distances:
    """How unlike facings look, as `vision.appearance` tells pictures of packs apart.

    Args:
        least: the nearest that another product comes; 0.45 is within one in twenty of pictures.
    """
    plan = shown.plan
    number = {product.id: k for k, product in enumerate(plan.products)}
    planned = np.array([number[each.product] for each in plan.in_order])

    def drawn(same: npt.NDArray[np.bool_]) -> Reals:
        alike = np.clip(rng.normal(0.12, 0.05, same.shape), 0.02, 0.28)
        other = np.clip(rng.normal(0.72, 0.1, same.shape), least, None)
        return np.asarray(np.where(same, alike, other), np.float64)

    known = shown.products != STRANGER
    to_products = drawn(np.arange(len(plan.products))[:, None] == shown.products[None])
    own = drawn((planned[:, None] == shown.products[None]) & known[None])
    return Distances(np.minimum(own, to_products[planned]), to_products)


def counts(shown: Shown, told: Comparison, truth: Sequence[Deviation]) -> Counts:
    """Compare findings with the truth; those of one run may change places."""
    order = shown.plan.in_order
    number = {position.id: i for i, position in enumerate(order)}
    run_of = _runs(shown.plan)
    away = _out_of_view(shown)
    wanted: Counter[tuple[str, int]] = Counter(
        (each.kind, run_of[each.position]) for each in truth if each.position is not None
    )
    said: Counter[tuple[str, int]] = Counter()
    unseen = 0
    loose: list[Finding] = []
    for finding in told.findings:
        if finding.position is None:
            loose.append(finding)
            continue
        at = number[finding.position]
        unseen += bool(away[at])
        if not shown.spared[at]:
            said[finding.kind, run_of[at]] += 1
    right: Counter[str] = Counter()
    false: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for kind, run in {*wanted, *said}:
        both = min(wanted[kind, run], said[kind, run])
        right[kind] += both
        false[kind] += said[kind, run] - both
        lost[kind] += wanted[kind, run] - both
    _count_loose(shown, loose, truth, right, false, lost)
    return Counts(right=right, false=false, lost=lost, asserted_unseen=unseen)


def _count_loose(
    shown: Shown,
    told: Sequence[Finding],
    truth: Sequence[Deviation],
    right: Counter[str],
    false: Counter[str],
    lost: Counter[str],
) -> None:
    """What stands at no planned position, box by box."""
    true = [each for each in truth if each.position is None]
    mine = boxes_of([finding.box_xyxy_px for finding in told])
    theirs = boxes_of([each.box_px for each in true])
    shared = iou(mine, theirs) if len(mine) and len(theirs) else np.zeros((len(mine), len(theirs)))
    matched_told, matched_true = set(), set()
    for i, k in zip(*linear_sum_assignment(shared, maximize=True), strict=True):
        if shared[i, k] >= OVERLAP_MIN and told[i].kind == true[k].kind:
            matched_told.add(int(i))
            matched_true.add(int(k))
            right[told[i].kind] += 1
    spared = (
        iou(mine, shown.spared_px).max(axis=1) >= OVERLAP_MIN
        if len(mine) and len(shown.spared_px)
        else np.zeros(len(mine), bool)
    )
    for i, finding in enumerate(told):
        if i not in matched_told and not spared[i]:
            false[finding.kind] += 1
    for k, each in enumerate(true):
        if k not in matched_true:
            lost[each.kind] += 1


def _runs(plan: Planogram) -> list[int]:
    """The number of each position's run, in order."""
    return [number for number, run in enumerate(plan.runs()) for _ in run]


def _out_of_view(shown: Shown) -> npt.NDArray[np.bool_]:
    places = mapped_boxes(boxes_in_order(shown.plan), shown.plane)
    out: npt.NDArray[np.bool_] = (
        visible_share(places, width=shown.width, height=shown.height) < 0.5
    )  # fmt: skip
    return out


def f1_figures(
    where: str, bays: Sequence[Counts], kinds: Sequence[str], seed: int
) -> Iterable[Figure]:
    """F1 over all kinds and of each, and claims about places out of view."""

    def f1(name: str, kinds: Sequence[str]) -> Figure:
        top = [2 * sum(bay.right[kind] for kind in kinds) for bay in bays]
        below = [
            sum(2 * bay.right[kind] + bay.false[kind] + bay.lost[kind] for kind in kinds)
            for bay in bays
        ]
        low, high = ratio_interval(top, below, seed=seed)
        true = sum(bay.right[kind] + bay.lost[kind] for bay in bays for kind in kinds)
        value = sum(top) / sum(below) if sum(below) else None
        return Figure(name=name, of=where, value=value, low=low, high=high, n=true)

    yield f1("F1", kinds)
    for kind in kinds:
        if (figure := f1(f"F1_{kind}", [kind])).value is not None:
            yield figure
    unseen = sum(bay.asserted_unseen for bay in bays)
    yield Figure(name="claims_out_of_view", of=where, value=float(unseen), n=len(bays))
