"""Turn a detector's scores into the share of such answers that are right. Pure; fits nothing.

Three numbers a model (beta calibration, Kull and others 2017): the logit of the probability is
`rise * log(s) - fall * log(1 - s) + shift`. 1, 1, 0 leaves scores as they are. Neither of the first
two may be below zero, so that the order of the answers never changes.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

PROPERTY: Final = "calibration"
"""Under this name the three numbers stand among a model's properties, divided by spaces."""
_EDGE: Final = 1e-6
"""Scores are kept so far from 0 and 1, where logarithms end."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Three numbers that were fitted to one model."""

    rise: float = 1.0
    fall: float = 1.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.rise, self.fall, self.shift))):
            raise ValueError("a calibration is three finite numbers")
        if self.rise < 0 or self.fall < 0:
            raise ValueError("a calibration must not turn the order of scores round")

    @classmethod
    def read_from(cls, properties: Mapping[str, str]) -> Self:
        """The calibration among a model's properties; without one, scores stay as they are.

        Raises:
            ValueError: there is one, but not three numbers that can be used.
        """
        if PROPERTY not in properties:
            return cls()
        rise, fall, shift = map(float, properties[PROPERTY].split())
        return cls(rise, fall, shift)

    def in_words(self) -> str:
        """As a model's property."""
        return f"{self.rise:.6g} {self.fall:.6g} {self.shift:.6g}"

    def probability(self, scores: NDArray[np.floating]) -> NDArray[np.float32]:
        """How likely each answer is right; as many as there are scores, none for none."""
        held = np.clip(np.asarray(scores, np.float64), _EDGE, 1 - _EDGE)
        logit = self.rise * np.log(held) - self.fall * np.log1p(-held) + self.shift
        return np.asarray(1 / (1 + np.exp(-logit)), np.float32)

    def score_of(self, probability: float) -> float:
        """The raw score from which on answers are at least so likely right; 1 where none is."""
        low, high = _EDGE, 1 - _EDGE
        if float(self.probability(np.array([high]))[0]) < probability:
            return 1.0
        for _ in range(60):
            middle = (low + high) / 2
            enough = float(self.probability(np.array([middle]))[0]) >= probability
            low, high = (low, middle) if enough else (middle, high)
        return high
