"""How sure a claim is, from what its witnesses say: logistic curves learnt on photos. Pure.

Learnt by `storepulse eval learn-confidence` on train photos alone; what they are worth on others
is said by `storepulse eval findings`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]

Claim = Literal["missing", "wrong"]
"""No facing was detected at the place; or one was, and it is not the planned product."""


@dataclass(frozen=True)
class Witnesses:
    """What speaks for and against claims, one value a claim: (n,) each; nan where unknown."""

    before: Reals
    """Log odds of the claim, as picture, rival and edges alone tell it."""
    again: Reals
    """How well the reference's picture of the place is found near it, against what is usual on
    this photo: a difference of correlations."""
    board: Reals
    """The same for the strip below, the shelf's edge: low where something stands before it."""
    edges: Reals
    """How much is to be seen there, as a share of the reference."""
    anchors: Reals
    """Of the positions nearby in the row, the share that is surely in place: 0 to 1."""
    around: Reals
    """The same of the positions nearby on any shelf."""
    weak: Reals
    """Best score of the detector's weak answers there."""
    covered: Reals
    """The share of the place that facings of other places cover."""
    margin: Reals
    """How far from the photo's edge, in its own size; at most 1."""
    hidden: Reals
    """The share of the place that goods in front of it cover in the plan."""

    def table(self) -> Reals:
        """(n, k) in the order of `NAMES`, the unknown at what is usual."""
        columns = [
            np.where(np.isnan(column := getattr(self, name)), usual, column)
            for name, usual in _USUAL.items()
        ]
        raw = np.stack(columns, axis=1)
        raw[:, 0] = np.clip(raw[:, 0], -5, 5)
        raw[:, 3] = np.clip(raw[:, 3], 0, 1.5)
        return raw


_USUAL: Final[Mapping[str, float]] = {
    "before": 0.0, "again": -0.3, "board": -0.1, "edges": 0.8, "anchors": 0.7, "around": 0.7,
    "weak": 0.0, "covered": 0.1, "margin": 1.0, "hidden": 0.0,
}  # fmt: skip
NAMES: Final = tuple(_USUAL)
assert tuple(field.name for field in fields(Witnesses)) == NAMES


@dataclass(frozen=True)
class Curve:
    """A logistic curve: log odds are `level` and each witness times its weight."""

    level: float
    weights: tuple[float, ...]

    def confidence(self, witnesses: Witnesses) -> Reals:
        """(n,) probability that each claim is right."""
        odds = self.level + witnesses.table() @ np.array(self.weights)
        out: Reals = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
        return out


CURVES: Final[Mapping[Claim, Curve]] = {
    "missing": Curve(0.0, (1.0, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
    "wrong": Curve(0.0, (1.0, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
}
"""Until they are learnt: what the witnesses of `compare` say alone."""
