"""Align two sequences in order, many at a time. Pure: knows neither shelves nor facings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]

SKIP: Final = -2.5
"""Log odds given up for a position without a facing, or a facing without a position: about one
place in twelve may differ before rows stop being recognised."""
_UP: Final = 0
_PAIR: Final = 1
_LEFT: Final = 2


def align(
    gains: Reals, *, skip: float = SKIP, ends_free: bool = False
) -> tuple[list[tuple[int, int]], float]:
    """Align two sequences in order, each member with at most one of the other.

    Args:
        gains: (n, m), what a pair adds; -inf for pairs that must not be.
        skip: what leaving one member out adds (0 or below).
        ends_free: leaving out members of either sequence at its ends costs nothing: one view may
            show less or more of the row than the other.
    Returns:
        The pairs (i, j), rising in both, and their total; ([], 0 or below) where nothing fits.
    """
    many = align_many([gains], skip=skip, ends_free=ends_free)
    return many.pairs(0), float(many.totals[0])


@dataclass(frozen=True)
class Aligned:
    """Several alignments, made together."""

    totals: Reals
    """(b,) what each adds up to."""
    sizes: tuple[tuple[int, int], ...]
    best: Reals
    """(n + 1, b, m + 1) what the best way to each pair of prefixes adds up to, less what leaving
    out all of the second sequence so far does."""
    reached: Reals
    """The same where the last move takes one of the first sequence."""
    gains: Reals
    """(n, b, m) what a pair adds then."""
    skip: float
    ends_free: bool

    def pairs(self, number: int) -> list[tuple[int, int]]:
        """The pairs (i, j) of one of them, rising in both."""
        i, j = self.sizes[number]
        # Few of many are asked for: only of those the moves are told.
        best = self.best[: i + 1, number, : j + 1]
        up = best[:-1] + self.skip
        if self.ends_free:
            up[:, -1] = best[:-1, -1]
        pair = best[:-1, :-1] + self.gains[:i, number, :j] > up[:, 1:]
        left = best > self.reached[: i + 1, number, : j + 1] + 1e-9
        left[0] = True
        moves = np.where(left, _LEFT, _UP)
        moves[1:, 1:][pair & ~left[1:, 1:]] = _PAIR
        rows = moves.tolist()
        out = []
        while i and j:
            move = rows[i][j]
            if move == _PAIR:
                out.append((i - 1, j - 1))
            i -= move != _LEFT
            j -= move != _UP
        return out[::-1]


def align_many(tables: Sequence[Reals], *, skip: float = SKIP, ends_free: bool = False) -> Aligned:
    """As `align`, for several tables of any sizes, together: the time is that of the longest."""
    sizes_ = tuple((int(table.shape[0]), int(table.shape[1])) for table in tables)
    count = len(tables)
    n, m = (max((size[k] for size in sizes_), default=0) for k in (0, 1))
    gains = np.full((n, count, m), -np.inf)
    for number, table in enumerate(tables):
        # Leaving out facings adds the same at each step along a row: counted from there, the best
        # of all ways along it is a running maximum.
        np.subtract(table, skip, out=gains[: table.shape[0], number, : table.shape[1]])
    rows = np.array([size[0] for size in sizes_], dtype=np.int64)
    columns = np.array([size[1] for size in sizes_], dtype=np.int64)
    each = np.arange(count)
    edge = 0.0 if ends_free else skip
    steps = skip * np.arange(m + 1)
    best = np.zeros((n + 1, count, m + 1))
    reached = np.zeros_like(best)
    together = np.zeros((count, m))
    best[0] = edge * np.arange(m + 1) - steps
    last = set(rows.tolist())
    for i in range(1, n + 1):
        before, here, now = best[i - 1], reached[i], best[i]
        np.add(before, skip, out=here)
        here[:, 0] = before[:, 0] + edge
        if ends_free:
            here[each, columns] = before[each, columns]
        np.add(before[:, :-1], gains[i - 1], out=together)
        np.maximum(here[:, 1:], together, out=here[:, 1:])
        np.maximum.accumulate(here, axis=1, out=now)
        if ends_free and i in last:
            # At the end of the first sequence leaving out the rest of the second adds nothing.
            ended = rows == i
            now[ended] = np.maximum.accumulate(here[ended] + steps, axis=1) - steps
    return Aligned(
        best[rows, each, columns] + steps[columns], sizes_, best, reached, gains, skip, ends_free
    )
