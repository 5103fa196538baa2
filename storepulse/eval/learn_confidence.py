"""Learn how sure claims are from train photos: a logistic curve a kind. Prints; changes nothing.

What it prints belongs into `planograms.confidence.CURVES`, by hand and after `eval findings`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from planograms.confidence import NAMES, Claim, Curve
from storepulse.eval.second_photos import Case

Reals = npt.NDArray[np.float64]

_SIGNS: Final = {
    "before": 1, "again": -1, "board": 1, "edges": -1, "anchors": 1, "around": 1, "weak": -1,
    "covered": -1, "margin": 1, "hidden": -1,
}  # fmt: skip
"""Which way each witness may speak: with few photos a weight of the wrong sign is noise."""
_PENALTY: Final = 0.3


@dataclass(frozen=True)
class Lesson:
    """Claims and whether they are right."""

    table: Reals
    """(n, k) what the witnesses say, in the order of `NAMES`."""
    right: Reals
    """(n,) 1 or 0."""


def lesson_of(cases: Sequence[Case], claim: Claim) -> Lesson:
    """What the cases teach about one kind of claim; empty for none."""
    tables, rights = [np.zeros((0, len(NAMES)))], []
    for case in cases:
        heard = case.told.heard
        if heard is None:
            continue
        mine = heard.bare == (claim == "missing")
        facings = case.facing_of[heard.asked]
        known = mine & ~np.isin(facings, sorted(case.doubtful))
        tables.append(heard.witnesses.table()[known])
        rights.append(np.isin(facings[known], sorted(case.changed)))
    return Lesson(
        np.concatenate(tables),
        np.concatenate(rights).astype(np.float64) if rights else np.zeros(0),
    )


def learn(lesson: Lesson) -> Curve:
    """The logistic curve that fits best, its weights signed as they must be and kept small.

    Raises:
        ValueError: all claims are right, or none is: nothing can be learnt.
    """
    if len(set(lesson.right.tolist())) < 2:
        raise ValueError("the claims must be some right and some wrong")
    middle, spread = lesson.table.mean(axis=0), np.maximum(lesson.table.std(axis=0), 1e-3)
    steps = (lesson.table - middle) / spread

    def loss(guess: Reals) -> tuple[float, Reals]:
        chance = 1 / (1 + np.exp(-np.clip(guess[0] + steps @ guess[1:], -30, 30)))
        likely = np.where(lesson.right > 0, chance, 1 - chance)
        off = chance - lesson.right
        slope = np.concatenate([[off.sum()], steps.T @ off + 2 * _PENALTY * guess[1:]])
        return float(-np.log(likely + 1e-12).sum() + _PENALTY * (guess[1:] ** 2).sum()), slope

    bounds = [(None, None), *((0, None) if _SIGNS[n] > 0 else (None, 0) for n in NAMES)]
    found = minimize(
        loss, np.zeros(len(NAMES) + 1), jac=True, bounds=bounds, method="L-BFGS-B"
    ).x  # fmt: skip
    weights = found[1:] / spread
    level = float(found[0] - (weights * middle).sum())
    return Curve(round(level, 3), tuple(round(float(weight), 3) for weight in weights))
