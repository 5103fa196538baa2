"""How phones pace their bursts: kinds of pace with their shares, learnt from whole sessions. Pure.

A pace is a renewal process: independent pauses of one gamma distribution. Phones are a mixture of
paces; which one a phone has at the moment depends on model, screen and settings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincc, gammaln

Floats = npt.NDArray[np.float64]

PAUSE_S_MEANS: Final = tuple(4.0 * 1.45**step for step in range(14))
"""Mean pauses of the paces, 4 to 500 s: phones in the reference captures pause 3 to 600 s."""
PAUSE_SHAPES: Final = (1.2, 8.0)
"""Gamma shapes: irregular, and nearly like clockwork."""
_STEP_S: Final = 2.0
_REST_S_MAX: Final = 4000.0


@dataclass(frozen=True, slots=True)
class Paces:
    """The kinds of pace and how common each is among phones at a random moment.

    `share`: (m,), sums to 1, by mean pause, then by shape.
    """

    share: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.share) != len(PAUSE_S_MEANS) * len(PAUSE_SHAPES):
            raise ValueError(
                f"{len(PAUSE_S_MEANS) * len(PAUSE_SHAPES)} shares are needed, got {len(self.share)}"
            )
        if min(self.share) < 0 or abs(sum(self.share) - 1) > 1e-3:
            raise ValueError("shares of paces must not be negative and must sum to 1")


_MEAN_S: Final[Floats] = np.repeat(np.array(PAUSE_S_MEANS), len(PAUSE_SHAPES))
_SHAPE: Final[Floats] = np.tile(np.array(PAUSE_SHAPES), len(PAUSE_S_MEANS))
"""(m,) of each pace."""
PACE_MEAN_S: Final = _MEAN_S
PACE_SHAPE: Final = _SHAPE
_RATE: Final[Floats] = _SHAPE / _MEAN_S
_SCALE: Final[Floats] = _SHAPE * np.log(_RATE) - gammaln(_SHAPE)
_STRAY: Final = float(np.log(0.02 / 600.0))
"""One pause in fifty fits no pace (a burst that was not heard, a tap on the screen): without that,
a single odd pause would outweigh all the others."""
_USUAL: Final = float(np.log(0.98))


def pauses_log_likelihood(pauses_s: Sequence[float]) -> Floats:
    """(m,) log density of these pauses under each pace; zeros for no pause."""
    if not pauses_s:
        return np.zeros(len(PAUSE_S_MEANS) * len(PAUSE_SHAPES))
    x = np.maximum(np.asarray(pauses_s, dtype=np.float64), 1.0)[:, None]
    density = _SCALE + (_SHAPE - 1) * np.log(x) - _RATE * x
    summed: Floats = np.logaddexp(density + _USUAL, _STRAY).sum(axis=0)
    return summed


@lru_cache(maxsize=1)
def _rests() -> tuple[Floats, Floats, Floats]:
    """Tables over a rest of u seconds.

    Returns:
        u (k,); H (m, k): density that a window opens and closes around given bursts with u seconds
        to share between before the first and after the last, integrated over the split; P0 (m, k):
        probability that a window of u seconds at a random moment hears nothing.
    """
    u = np.arange(0.0, _REST_S_MAX, _STEP_S)
    mean, shape = _MEAN_S[:, None], _SHAPE[:, None]
    silent = gammaincc(shape, shape * u[None] / mean)
    size = 2 * u.size
    spectrum = np.fft.rfft(silent, size, axis=1)
    both = np.fft.irfft(spectrum**2, size, axis=1)[:, : u.size] * _STEP_S
    # Trapezoid: the two ends count half.
    both -= silent * silent[:, :1] * _STEP_S
    both = np.maximum(both, 0.0) / mean
    heard_by = np.cumsum((silent[:, 1:] + silent[:, :-1]) / 2, axis=1) * _STEP_S / mean
    unheard = np.clip(1.0 - np.pad(heard_by, ((0, 0), (1, 0))), 0.0, 1.0)
    return u, both, unheard


def rest_density(rest_s: Floats) -> Floats:
    """(m, *rest_s.shape): the table H of `_rests` at these rests; 0 where a rest is negative."""
    u, both, _ = _rests()
    return np.stack([np.interp(rest_s, u, row, left=0.0, right=0.0) for row in both])


def unheard_probability(length_s: Floats) -> Floats:
    """(m, k): probability that a stay of this length at a random moment hears no burst at all."""
    u, _, unheard = _rests()
    return np.stack([np.interp(length_s, u, row, right=0.0) for row in unheard])


def learn_paces(sessions: Sequence[tuple[Sequence[float], float]], *, rounds: int = 200) -> Paces:
    """Learn how common each pace is.

    Args:
        sessions: for each long watch of a phone its pauses in seconds and its weight.
    """
    likelihood = np.stack([pauses_log_likelihood(pauses) for pauses, _ in sessions])
    likelihood = np.exp(likelihood - likelihood.max(axis=1, keepdims=True))
    weight = np.array([weight for _, weight in sessions])[:, None]
    count = likelihood.shape[1]
    share = np.full(count, 1.0 / count)
    for _ in range(rounds):
        belief = likelihood * share
        belief /= belief.sum(axis=1, keepdims=True)
        # A twentieth is spread over all paces: a phone nobody has watched yet is possible.
        share = 0.95 * (belief * weight).sum(axis=0) / weight.sum() + 0.05 / count
    return Paces(tuple(float(s) for s in np.round(share / share.sum(), 6)))
