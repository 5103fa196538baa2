"""Learn a `vision.trees.Forest` by gradient boosting on the log loss. Reads and writes no file."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.trees import Floats, Forest, Ints

_BINS: Final = 32


@dataclass(frozen=True, slots=True)
class Growth:
    """How a forest is grown; the defaults suit a hundred figures of a few thousand photos."""

    trees: int = 100
    depth: int = 3
    rate: float = 0.1
    shrink: float = 4.0
    """Weight of the penalty on a leaf: leaves of few photos say little."""
    figures_tried: float = 0.35
    """The share of the figures that each tree may ask about."""
    seed: int = 0


def grow(
    values: Floats, right: NDArray[np.bool_], weights: Floats, growth: Growth | None = None
) -> Forest:
    """Learn which rows are right.

    Args:
        values: (n, k) figures.
        right: (n,).
        weights: (n,) how much each row counts.
    Raises:
        ValueError: all rows are alike: there is nothing to tell apart.
    """
    how = growth or Growth()
    if right.all() or not right.any():
        raise ValueError("rows of both kinds are needed to tell them apart")
    rng = np.random.default_rng(how.seed)
    edges = [_edges(values[:, k]) for k in range(values.shape[1])]
    binned = np.column_stack([np.searchsorted(edge, values[:, k]) for k, edge in enumerate(edges)])
    share = float(np.average(right, weights=weights))
    base = float(np.log(share / (1 - share)))
    odds = np.full(len(values), base)
    asked, limits, leaves = [], [], []
    tried = max(1, round(how.figures_tried * values.shape[1]))
    for _ in range(how.trees):
        likely = 1 / (1 + np.exp(-odds))
        slope, curve = weights * (likely - right), weights * likely * (1 - likely)
        some = rng.permutation(values.shape[1])[:tried]
        leaf = np.zeros(len(values), np.int64)
        questions: list[tuple[int, int]] = []
        for level in range(how.depth):
            best = _best_question(binned[:, some], leaf, 2**level, slope, curve, how.shrink)
            figure, bin_ = int(some[best[0]]), best[1]
            questions.append((figure, bin_))
            leaf += (binned[:, figure] > bin_).astype(np.int64) << level
        size = 2**how.depth
        step = (
            -how.rate
            * np.bincount(leaf, slope, size)
            / (np.bincount(leaf, curve, size) + how.shrink)
        )
        odds += step[leaf]
        asked.append([figure for figure, _ in questions])
        limits.append([_limit(edges[figure], bin_) for figure, bin_ in questions])
        leaves.append(step)
    return Forest(np.array(asked, np.int64), np.array(limits), np.array(leaves), base)


def _edges(column: Floats) -> Floats:
    """Limits between bins of about equally many rows."""
    found: Floats = np.unique(np.quantile(column, np.linspace(0, 1, _BINS + 1)[1:-1]))
    return found


def _limit(edges: Floats, bin_: int) -> float:
    """A row is in a higher bin when its figure is above this."""
    return float(edges[bin_]) if bin_ < len(edges) else np.finfo(np.float64).max


def _best_question(
    binned: Ints, leaf: Ints, leaves: int, slope: Floats, curve: Floats, shrink: float
) -> tuple[int, int]:
    """Figure and bin that part the rows best, asked in all leaves at once."""
    figures = binned.shape[1]
    place = (leaf[:, None] * figures + np.arange(figures)) * _BINS + binned
    size = leaves * figures * _BINS

    def summed(what: Floats) -> Floats:
        flat = np.bincount(place.ravel(), np.repeat(what, figures), size)
        return flat.reshape(leaves, figures, _BINS).cumsum(axis=2)

    low_slope, low_curve = summed(slope), summed(curve)
    all_slope, all_curve = low_slope[..., -1:], low_curve[..., -1:]
    gain = (
        low_slope**2 / (low_curve + shrink)
        + (all_slope - low_slope) ** 2 / (all_curve - low_curve + shrink)
    ).sum(axis=0)
    best = int(gain.argmax())
    return best // _BINS, best % _BINS
