"""How long matching takes: so many facings against as many positions, of drawn bays, no pixels.

Time of this process alone: other work on the machine does not count, though it slows memory down.
"""

import time
from collections.abc import Iterator
from itertools import count
from typing import Final

import numpy as np

from planograms.compare import boxes_in_order
from planograms.matching import match
from planograms.placing import Planned, Seen
from storepulse.eval.bays import BY_ROWS, REGISTERED, likeness_drawn
from storepulse.eval.figures import Figure, Report
from storepulse.eval.progress import Steps
from storepulse.simulated.bays import NOISY, Shown, draw_plan, show
from vision.appearance import UNDECIDED

SEVERAL_MAPS: Final = "rows and sequences, most looks unknown"
_KNOWN: Final = 80
"""Fewer known facings than from which one map is trusted: several are weighed."""
_WHOLE: Final = 0.95
"""Of the facings, seen from which on a view shows the whole bay."""


def measure_matching_time(*, facings: int, bays: int, runs: int, seed: int, steps: Steps) -> Report:
    """Match noisy bays of so many facings, nearly all in view, several times each, three ways."""
    took: dict[str, list[float]] = {}
    seen_each = []
    bays_drawn = _whole_views(facings, seed)
    for _ in steps(range(bays), "matching drawn bays"):
        shown, rng = next(bays_drawn)
        looks = likeness_drawn(shown, rng).to_positions
        planned = Planned(
            boxes_in_order(shown.plan), np.array([each.row for each in shown.plan.in_order])
        )
        seen = Seen(shown.boxes_px, shown.rows, (shown.width, shown.height))
        seen_each.append(len(shown.boxes_px))
        few = looks.copy()
        few[:, rng.permutation(few.shape[1])[_KNOWN:]] = UNDECIDED
        for way, distances, plane in (
            (BY_ROWS, looks, None), (REGISTERED, looks, shown.plane), (SEVERAL_MAPS, few, None)
        ):  # fmt: skip
            for _ in range(runs):
                started = time.process_time()
                match(planned, seen, distances, plane=plane)
                took.setdefault(way, []).append((time.process_time() - started) * 1e3)
    return Report(
        measure="matching-time",
        settings={
            "facings": facings, "bays": bays, "runs": runs, "seed": seed,
            "facings_seen_mean": round(float(np.mean(seen_each)), 1),
        },
        figures=tuple(_figures(took)),
        notes=("CPU time of one process; drawn bays, 5 % of facings missed, 3 % false ones",),
    )  # fmt: skip


def _whole_views(facings: int, seed: int) -> Iterator[tuple[Shown, np.random.Generator]]:
    for number in count():
        rng = np.random.default_rng([seed, 0x300, number])
        shown = show(draw_plan(rng, facings=facings), rng, noise=NOISY)
        if len(shown.boxes_px) >= _WHOLE * facings:
            yield shown, rng


def _figures(took: dict[str, list[float]]) -> Iterator[Figure]:
    for way, each in took.items():
        for level in (50, 95):
            value = float(np.percentile(each, level))
            yield Figure(name=f"match_cpu_p{level}", of=way, value=value, n=len(each), unit="ms")
