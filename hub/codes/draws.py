"""Doubt as draws: the same latent errors for the same names, each time. Reads no fact.

One figure alone is a two-piece normal, and its chances are in closed form. Where several figures
stand together (three days running, receptions by heads) they are drawn: a latent error is a
stratified standard normal sample whose order comes from a hash of its name. Two figures that share
a latent err together, in every draw; two with different names err apart. Nothing is random: a code
computed again has the same probability to the last digit.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b, sha256
from math import erfc, hypot, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from storepulse.units import Z90

DRAWS: Final = 2048
"""A power of two (the orders below need it). One latent alone is off by at most 1 / 2048."""

Draws = NDArray[np.float64]
"""(DRAWS,), or (1,) for a figure without doubt: both broadcast against each other."""


@lru_cache(maxsize=1)
def _scrambled() -> Draws:
    # Ordered by a hash rather than numpy's generator, whose streams may change between versions.
    order = sorted(range(DRAWS), key=lambda i: sha256(i.to_bytes(4, "big")).digest())
    return np.array(ndtri((np.array(order) + 0.5) / DRAWS), dtype=np.float64)


@lru_cache(maxsize=512)
def latent(name: str) -> Draws:
    """The standard normal errors of one name, (DRAWS,), not to be written to; each stratum once."""
    digest = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
    stride, start = (digest >> 32) | 1, digest & (DRAWS - 1)
    # An odd stride visits each place of a power of two once.
    places = (np.arange(DRAWS, dtype=np.int64) * (stride & (DRAWS - 1)) + start) & (DRAWS - 1)
    errors: Draws = _scrambled()[places]
    errors.flags.writeable = False
    return errors


@dataclass(frozen=True, slots=True)
class Spread:
    """The two halves of a two-piece normal, as standard deviations below and above its median."""

    below: float = 0.0
    above: float = 0.0


@dataclass(frozen=True, slots=True)
class Doubt:
    """How a figure can be wrong: errors shared by name, and one part of its own.

    `own` is what is left of many independent errors after they were added up (root of the sum of
    squares, each side for itself); its latent is named by the figure.
    """

    shared: dict[str, Spread] = field(default_factory=dict)
    own: Spread = Spread()

    @property
    def total(self) -> Spread:
        """All of it: independent deviations add as squares, each side for itself."""
        if not self.shared:
            return self.own
        spreads = [*self.shared.values(), self.own]
        return Spread(hypot(*(s.below for s in spreads)), hypot(*(s.above for s in spreads)))

    def errors(self, name: str) -> Draws:
        """The errors, (DRAWS,). Each half is a sum of latents; one fact gives back its interval."""
        parts = [(self.own, f"own|{name}")]
        parts += [(spread, f"shared|{source}") for source, spread in self.shared.items()]
        below = np.zeros(DRAWS)
        above = np.zeros(DRAWS)
        for spread, latent_name in parts:
            if spread.below or spread.above:
                z = latent(latent_name)
                below += spread.below * z
                above += spread.above * z
        return np.minimum(below, 0.0) + np.maximum(above, 0.0)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its doubt: the value, a 90 % interval, and the chance to lie below a limit."""

    value: float
    low: float
    high: float
    spread: Spread | None
    """Of a two-piece normal around the value; None where the draws have another form."""
    sample: Callable[[], Draws]
    """Makes the draws; asked for only where several figures err together."""

    @property
    def exact(self) -> bool:
        """Without doubt."""
        return self.spread is not None and not self.spread.below and not self.spread.above

    def chance_below(self, limit: float) -> float:
        """The probability that the true figure lies below a limit; a figure at it does not."""
        if self.spread is None:
            draws = self.sample()
            return float(np.count_nonzero(draws < limit) / draws.size)
        distance = limit - self.value
        side = self.spread.below if distance < 0 else self.spread.above
        if not side:
            return float(distance > 0)
        return 0.5 * erfc(-distance / side * sqrt(0.5))


def estimate(
    value: float, doubt: Doubt, *, name: str, floor: float = 0.0, ceiling: float = float("inf")
) -> Estimate:
    """Turn a value and its doubt into an estimate within natural limits (a share stays a share).

    `name` names the figure's own error: give the metric, the day and where it stands.
    """
    total = doubt.total
    low, high = value - Z90 * total.below, value + Z90 * total.above

    def sample() -> Draws:
        if not total.below and not total.above:
            return np.array([value])
        return np.clip(value + doubt.errors(name), floor, ceiling)

    return Estimate(
        value, min(max(low, floor), value), max(min(high, ceiling), value), total, sample
    )


def quotient(above: Estimate, below: Estimate) -> Estimate:
    """One figure by another, e.g. receptions by heads.

    Raises:
        ValueError: the lower figure is not above 0.
    """
    if below.value <= 0:
        raise ValueError("cannot divide by a figure that is not above 0")
    value = above.value / below.value

    def sample() -> Draws:
        # Heads are at least a quarter of what was told: a draw near zero would mean nothing.
        return above.sample() / np.maximum(below.sample(), 0.25 * below.value)

    if below.exact and above.spread is not None:
        spread = Spread(above.spread.below / below.value, above.spread.above / below.value)
        return Estimate(value, above.low / below.value, above.high / below.value, spread, sample)
    low, high = (float(x) for x in np.quantile(sample(), (0.05, 0.95)))
    return Estimate(value, min(low, value), max(high, value), None, sample)
