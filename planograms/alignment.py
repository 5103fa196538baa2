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
    """(n + 1, b, m + 1) what the best way to each pair of prefixes adds up to."""
    reached: Reals
    """The same where the last move takes one of the first sequence."""
    paired: npt.NDArray[np.bool_]
    """Whether that move makes a pair."""

    def pairs(self, number: int) -> list[tuple[int, int]]:
        """The pairs (i, j) of one of them, rising in both."""
        i, j = self.sizes[number]
        # Few of many are asked for: only of those the moves are told.
        own = (slice(None, i + 1), number, slice(None, j + 1))
        left = self.best[own] > self.reached[own] + 1e-9
        moves = np.where(left, _LEFT, np.where(self.paired[own], _PAIR, _UP))
        moves[0] = _LEFT
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
        gains[: table.shape[0], number, : table.shape[1]] = table
    rows = np.array([size[0] for size in sizes_], dtype=np.int64)
    columns = np.array([size[1] for size in sizes_], dtype=np.int64)
    each = np.arange(count)
    edge = 0.0 if ends_free else skip
    best = np.zeros((n + 1, count, m + 1))
    reached = np.zeros_like(best)
    paired = np.zeros(best.shape, dtype=bool)
    best[0] = edge * np.arange(m + 1)
    steps = np.tile(skip * np.arange(m + 1), (count, 1))
    last = set(rows.tolist())
    for i in range(1, n + 1):
        before, here, now = best[i - 1], reached[i], best[i]
        np.add(before, skip, out=here)
        here[:, 0] = before[:, 0] + edge
        if ends_free:
            here[each, columns] = before[each, columns]
        together = before[:, :-1] + gains[i - 1]
        np.greater(together, here[:, 1:], out=paired[i, :, 1:])
        np.maximum(here[:, 1:], together, out=here[:, 1:])
        # Leaving out facings runs along the row: a running maximum does it without a loop.
        slope = np.where((rows == i)[:, None], 0.0, steps) if ends_free and i in last else steps
        np.subtract(here, slope, out=now)
        np.maximum.accumulate(now, axis=1, out=now)
        now += slope
    return Aligned(best[rows, each, columns], sizes_, best, reached, paired)
