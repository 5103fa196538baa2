"""Scores of one comparison, each with its interval. Pure; formulas in docs/scores.md.

A score is the share of planned places (or products) that are as planned. Of each place that was
seen we have the probability that it is right; of those not seen we know only what the seen ones
suggest. The distribution of the share follows from both, and value, low and high are its mean, 5th
and 95th percentile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import betabinom

from planograms.findings import PositionState
from planograms.model import Planogram

Reals = npt.NDArray[np.float64]

_TAIL: Final = 0.05

Basis = Literal["main_push", "facing_compliance"]


@dataclass(frozen=True, slots=True)
class Score:
    """A share with its 90 % interval; `value` None where nothing of it was seen."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    """Places or products seen."""
    coverage: float
    """Seen, of those planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The scores of one photo against its planogram."""

    exposure_main_push: Score
    """Planned facings of main-push products that are in place and to be seen."""
    exposure_basis: Basis
    """`facing_compliance` where no product is marked as main push: then both are one figure."""
    position_compliance: Score
    """Runs (adjacent facings planned for one product) at which at least one of them is right."""
    facing_compliance: Score
    """Planned facings that are right."""
    on_shelf_availability: Score
    """Planned products of which at least one facing stands in its place."""


def scores_of(planogram: Planogram, states: Sequence[PositionState]) -> Scores:
    """Score a comparison.

    Args:
        planogram: the plan.
        states: of each of its positions.
    """
    right = {state.id: state.right for state in states}
    every = [right[position.id] for position in planogram.in_order]
    pushed = [
        right[position.id]
        for position in planogram.in_order
        if planogram.product_at(position).main_push
    ]
    runs = [_any_of([right[position.id] for position in run]) for run in planogram.runs()]
    of_product: dict[str, list[float | None]] = {}
    for position in planogram.in_order:
        of_product.setdefault(position.product, []).append(right[position.id])
    facing_compliance = share(every)
    return Scores(
        exposure_main_push=share(pushed) if pushed else facing_compliance,
        exposure_basis="main_push" if pushed else "facing_compliance",
        position_compliance=share(runs),
        facing_compliance=facing_compliance,
        on_shelf_availability=share([_any_of(each) for each in of_product.values()]),
    )


def _any_of(rights: Sequence[float | None]) -> float | None:
    """Probability that at least one is right; None where none was seen."""
    seen = [value for value in rights if value is not None]
    return float(1 - np.prod([1 - value for value in seen])) if seen else None


def share(rights: Sequence[float | None]) -> Score:
    """The share that is right, from the probability of each; None for those not seen.

    Places are taken as independent given the photo. Those not seen follow a beta-binomial whose
    rate is learnt from the seen ones (Jeffreys' prior).
    """
    planned = len(rights)
    seen = np.array([value for value in rights if value is not None])
    n = len(seen)
    if not n:
        return Score(None, None, None, 0, 0.0)
    chances = poisson_binomial(seen)
    unseen = planned - n
    if unseen:
        good = float(seen.sum())
        rest = betabinom.pmf(np.arange(unseen + 1), unseen, good + 0.5, n - good + 0.5)
        chances = np.convolve(chances, rest)
    up_to = np.cumsum(chances)
    value = float(chances @ np.arange(planned + 1)) / planned
    low = int(np.searchsorted(up_to, _TAIL)) / planned
    high = int(np.searchsorted(up_to, 1 - _TAIL)) / planned
    return Score(
        value=round(value, 4),
        # The mean of a lopsided distribution may lie beyond a percentile of whole facings.
        low=round(min(low, value), 4),
        high=round(max(high, value), 4),
        n=n,
        coverage=round(n / planned, 4),
    )


def poisson_binomial(chances: Reals) -> Reals:
    """Probability of 0 to n successes of n independent trials with those chances: (n + 1,)."""
    out = np.ones(1)
    for chance in chances:
        out = np.convolve(out, [1 - chance, chance])
    return out
