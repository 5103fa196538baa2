"""Boosted trees as a table: a score from named figures. Numpy alone; learns nothing itself.

Each tree asks the same few questions of every photo ("is figure f above t?"); the answers, read as
the bits of a number, pick one of its leaves. So a forest is three arrays, and a photo costs
microseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """`t` trees of depth `d` over `k` figures."""

    figures: Ints
    """(t, d) which figure each question is about."""
    limits: Floats
    """(t, d) whether it is above this."""
    leaves: Floats
    """(t, 2**d) what each leaf adds to the log odds."""
    base: float

    def __post_init__(self) -> None:
        trees, depth = self.figures.shape
        if self.limits.shape != (trees, depth) or self.leaves.shape != (trees, 2**depth):
            raise ValueError(
                f"{self.figures.shape} questions, {self.limits.shape} limits and "
                f"{self.leaves.shape} leaves make no forest"
            )

    @classmethod
    def read_from(cls, table: Mapping[str, Any]) -> Self:
        """The forest in a table, as `told` gives it."""
        return cls(
            np.array(table["figures"], np.int64), np.array(table["limits"], np.float64),
            np.array(table["leaves"], np.float64), float(table["base"]),
        )  # fmt: skip

    def told(self) -> dict[str, Any]:
        """As JSON values: numbers to six digits, which changes no answer."""

        def short(values: Floats) -> list[list[float]]:
            return [[float(f"{value:.6g}") for value in row] for row in values]

        return {
            "base": round(self.base, 6),
            "figures": self.figures.tolist(),
            "limits": short(self.limits),
            "leaves": short(self.leaves),
        }

    def log_odds(self, values: Floats) -> Floats:
        """(n,) for (n, k) figures; above 0 more likely than not."""
        trees, depth = self.figures.shape
        above = values[:, self.figures] > self.limits
        leaf = above.astype(np.int64) @ (2 ** np.arange(depth))
        total: Floats = self.base + self.leaves[np.arange(trees), leaf].sum(axis=1)
        return total
