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
    same: Reals
    """Log odds of the embedding that the planned product is to be seen there."""
    rival: Reals
    """How much higher those of another product of the planogram are."""

    def table(self) -> Reals:
        """(n, k) in the order of `NAMES`, the unknown at what is usual."""
        columns = [
            np.where(np.isnan(column := getattr(self, name)), usual, column)
            for name, usual in _USUAL.items()
        ]
        raw = np.stack(columns, axis=1)
        for column, (low, high) in enumerate(_LIMITS.values()):
            raw[:, column] = np.clip(raw[:, column], low, high)
        return raw


_USUAL: Final[Mapping[str, float]] = {
    "before": 0.0, "again": -0.3, "board": -0.1, "edges": 0.8, "anchors": 0.7, "around": 0.7,
    "weak": 0.0, "covered": 0.1, "margin": 1.0, "hidden": 0.0,
    "same": 2.0, "rival": -1.0,
}  # fmt: skip
_LIMITS: Final[Mapping[str, tuple[float, float]]] = {
    "before": (-5, 5), "again": (-0.6, 0), "board": (-0.5, 0), "edges": (0.2, 1), "anchors": (0, 1),
    "around": (0, 1), "weak": (0, 1), "covered": (0, 1), "margin": (-0.2, 1), "hidden": (0, 1),
    "same": (-6, 5), "rival": (-4, 5),
}  # fmt: skip
"""Beyond these more of the same says nothing more."""
NAMES: Final = tuple(_USUAL)
assert tuple(_LIMITS) == NAMES
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
    "missing": Curve(
        -2.167,
        (0.34, -1.65, 6.613, -2.127, 0.384, 4.145, 0.0, -0.734, 0.0, -1.884, 0.0, 0.0),
    ),
    "wrong": Curve(
        -4.305,
        (0.377, -1.933, 2.579, 0.0, 0.019, 1.383, 0.0, -1.959, 1.659, -0.504, -0.119, 0.718),
    ),
}
"""`missing` from 47 train photos, each seen again under the six conditions of
`storepulse.simulated.second_photos` with seven facings changed; what 15 photos teach with the
embedding as a witness is no better there. `wrong` from these 15, restocked and under two conditions
each: cross-validated by photo, its log loss fell from 0.24 to 0.17."""

DRAWN_CURVES: Final[Mapping[Claim, Curve]] = {
    "missing": Curve(
        -4.5,
        (0.328, -0.728, 0.0, -2.61, 2.146, 4.323, 0.0, 0.0, 0.0, 0.0, -0.097, 0.185),
    ),
    "wrong": Curve(
        -4.3,
        (0.421, -0.555, 0.0, 0.0, 0.435, 1.307, 0.0, -0.594, 1.397, -0.483, -0.013, 0.687),
    ),
}
"""Where the reference is drawn from the products' pictures; from the same 15 train photos. The
levels were raised by 0.67 and 0.37 after 8 other train photos, restocked: of 32 claims surer than
0.6, at 0.92 on average, 31 were right (`storepulse eval restocked`)."""
