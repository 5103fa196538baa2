"""Estimate the mean dwell over all visitors, those included whose phones stayed silent. Pure.

From first to last burst reads too short, and short visits are often not heard at all. So each
visit's bursts are weighed under every pace a phone may have (`burst_pace`) and every length its
stay may have had, given that it was heard; what is wanted is the mean of the lengths.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log, sqrt
from typing import Final

import numpy as np
from scipy.special import gammainc

from probes.burst_pace import (
    Floats,
    Paces,
    pauses_log_likelihood,
    rest_density,
    unheard_probability,
)
from probes.visits import Visit
from storepulse.units import Z90

VISITS_MIN: Final = 5
"""Fewer visits say nothing (and would be about single persons)."""
LENGTH_S: Final[Floats] = np.geomspace(8.0, 6 * 3600.0, 64)
"""Lengths that a stay may have; (g,)."""
MEAN_S: Final[Floats] = np.geomspace(15.0, 3 * 3600.0, 72)
"""Mean lengths that are weighed; (a,)."""
LENGTH_SHAPES: Final = (0.7, 1.0, 1.5, 2.5, 5.0)
"""Gamma shapes of the lengths: from many that turn round at the door to all alike."""
SHAPE_WEIGHTS: Final = (0.15, 0.25, 0.25, 0.2, 0.15)
_PRIOR_PHONES: Final = 25.0
"""What the learnt shares of paces weigh, in phones."""
_ROUNDS: Final = 12
_PAUSES_MAX: Final = 40
"""More pauses of one visit add nothing about its pace."""


@dataclass(frozen=True, slots=True)
class DwellEstimate:
    """Mean dwell in minutes with its 90 % interval; `mean` None is unknown, `reason` says why."""

    mean: float | None
    low: float | None
    high: float | None
    n: int
    unheard_share: float | None = None
    """Of all visitors, the share that is reckoned to have sent nothing while there."""
    reason: str | None = None


def unknown_dwell(n: int, reason: str) -> DwellEstimate:
    """The answer where the evidence is too little."""
    return DwellEstimate(None, None, None, n, None, reason)


def estimate_dwell(
    visits: Sequence[Visit], paces: Paces, *, error_share: float = 0.0
) -> DwellEstimate:
    """Estimate the mean length of all visits from those that were heard.

    Args:
        visits: fixed devices already left out; at most some thousands (more are a sample's job).
        paces: how common each pace of bursts is, before this capture is looked at.
        error_share: standard deviation, as a share, that the method has beyond what the visits
            show (`Calibration.dwell_error_share`); it widens the interval.
    """
    if len(visits) < VISITS_MIN:
        return unknown_dwell(
            len(visits), f"{len(visits)} visits heard; at least {VISITS_MIN} are needed"
        )
    evidence, silent = _evidence(visits), unheard_probability(LENGTH_S)
    lengths, means, _ = length_priors()
    prior = np.array(paces.share)
    score, unheard = np.empty((2, len(means)))
    for begun in range(0, len(means), MEAN_S.size):
        # One shape at a time: one product of matrices for all its means, in bounded memory.
        block = slice(begun, begun + MEAN_S.size)
        fits = evidence @ lengths[block].T
        silences = (silent @ lengths[block].T).T
        for number, silence in enumerate(silences):
            score[begun + number], unheard[begun + number] = _score(
                fits[:, :, number], silence, prior
            )
    return estimate_of(score, unheard, count=len(visits), error_share=error_share)


def estimate_of(score: Floats, unheard: Floats, *, count: int, error_share: float) -> DwellEstimate:
    """The estimate from how well each mean and shape of `length_priors` fits.

    Args:
        score: (c,) log evidence; unheard: (c,) share of what was there and not heard.
        count: of visits or pieces, to be told.
    """
    _, means, shapes = length_priors()
    weight = np.exp(score - score.max()) * shapes
    weight /= weight.sum()
    low, middle, high = _quantiles(means, weight, (0.05, 0.5, 0.95))
    below, above = (
        exp(sqrt(log(ratio) ** 2 + (Z90 * error_share) ** 2))
        for ratio in (middle / low, high / middle)
    )
    return DwellEstimate(
        middle / 60, middle / below / 60, middle * above / 60, count, float(unheard @ weight)
    )


def _evidence(visits: Sequence[Visit]) -> Floats:
    """(n, m, g): density of each visit's bursts under each pace and length, scaled per visit."""
    rows = []
    for visit in visits:
        times = np.asarray(visit.burst_s)
        pauses = np.diff(times)
        if pauses.size > _PAUSES_MAX:
            pauses = pauses[:: pauses.size // _PAUSES_MAX + 1]
        pace = pauses_log_likelihood(pauses.tolist())
        rests = rest_density(LENGTH_S - visit.heard_s)
        rows.append(np.exp(pace - pace.max())[:, None] * rests)
    return np.stack(rows)


@lru_cache(maxsize=1)
def length_priors() -> tuple[Floats, Floats, Floats]:
    """Shares of the lengths for each mean and shape: (c, g), means (c,), weights of shapes (c,)."""
    edges = np.concatenate(([0.0], np.sqrt(LENGTH_S[1:] * LENGTH_S[:-1]), [np.inf]))
    rows, means, weights = [], [], []
    for shape, weight in zip(LENGTH_SHAPES, SHAPE_WEIGHTS, strict=True):
        for mean in MEAN_S:
            share = np.diff(gammainc(shape, shape * edges / mean))
            rows.append(share)
            means.append(mean)
            weights.append(weight)
    return np.array(rows), np.array(means), np.array(weights)


def _score(fit: Floats, silent: Floats, prior: Floats) -> tuple[float, float]:
    """Log evidence of all visits for one distribution of lengths, the paces fitted beside.

    Args:
        fit: (n, m) density of each visit under each pace; silent: (m,) probability of no burst.
    Returns:
        The log evidence, given that each was heard; the share unheard.
    """
    share = prior
    count = len(fit)
    for _ in range(_ROUNDS):
        belief = fit * share
        total = belief.sum(axis=1, keepdims=True)
        belief /= np.maximum(total, 1e-300)
        heard = 1.0 - float(share @ silent)
        missing = share * silent * (count / max(heard, 1e-6))
        mixed = belief.sum(axis=0) + missing + _PRIOR_PHONES * prior
        share = mixed / mixed.sum()
    heard = max(1.0 - float(share @ silent), 1e-6)
    evidence = float(np.log(np.maximum(fit @ share, 1e-300)).sum()) - count * np.log(heard)
    evidence += _PRIOR_PHONES * float(prior @ np.log(np.maximum(share, 1e-12)))
    return evidence, 1.0 - heard


def _quantiles(values: Floats, weight: Floats, levels: Sequence[float]) -> list[float]:
    order = np.argsort(values, kind="stable")
    running = np.cumsum(weight[order])
    return [float(np.interp(level, running, values[order])) for level in levels]
