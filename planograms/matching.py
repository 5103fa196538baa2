"""Which seen facing stands at which planned position. Pure: boxes, rows and distances, no pixels.

Rows are aligned with shelves and, within them, facings with positions, by dynamic programming: a
spurious row or facing costs itself and shifts nothing. Where the photo is registered to the
planogram's frame, places count as well; where it is not, the rows and sequences alone find the
pairs, and the pairs give the registration.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from vision.appearance import likeness
from vision.geometry import (
    Boxes,
    PlaneMap,
    centres,
    iou,
    map_from_pairs,
    mapped_boxes,
    sizes,
)

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

NO_ROW: Final = -1

_SKIP: Final = -2.5
"""Log odds given up for a position without a facing, or a facing without a position: about one
place in twelve may differ before rows stop being recognised."""
_APPEARANCE_MOST: Final = 4.0
"""No single picture weighs more than this, in log odds: a label may be turned or glare."""
_PLACE_BEST: Final = 2.5
_PLACE_WORST: Final = -3.0


@dataclass(frozen=True)
class _Reach:
    """How far from its place a facing is still the one of that position, in its own size."""

    widths: float
    heights: float
    spread: float
    """One standard deviation."""


_NEAR: Final = _Reach(0.8, 0.6, 0.15)
_WIDE: Final = _Reach(1.5, 1.0, 0.4)
"""Goods behind or before the plane of the shelf fronts lie this far from the mapped place when the
photo is taken from elsewhere; a first round with it tells by how much, shelf by shelf."""
NEIGHBOURS: Final = 5
_SURE: Final = 1.5
"""Log odds of appearance from which a pair may say how far goods are off the map."""
_ROW_SCORE_MIN: Final = 3.0
"""A shelf and a row whose best alignment stays below this have nothing in common."""
_ROUNDS_MAX: Final = 3

Registered = Literal["pixels", "facings", "no"]


@dataclass(frozen=True)
class Planned:
    """The planned side, in order row by row from the lowest and from the left."""

    boxes: Boxes
    rows: Ints


@dataclass(frozen=True)
class Seen:
    """The seen side: facings of one photo; row `NO_ROW` where a facing is on none."""

    boxes: Boxes
    rows: Ints


@dataclass(frozen=True)
class Match:
    """Who stands where.

    `facing_of` (n,) gives for each position the seen facing or -1; `plane` takes the planogram's
    frame to the photo, where either pixels or the pairs themselves could tell it; `places` (n, 4)
    is then where each position should be on the photo, shifted as the goods nearby are.
    """

    facing_of: Ints
    plane: PlaneMap | None
    places: Boxes | None
    registered: Registered

    @property
    def position_of(self) -> dict[int, int]:
        """Seen facing -> planned position."""
        return {int(j): i for i, j in enumerate(self.facing_of) if j >= 0}


def match(
    planned: Planned, seen: Seen, distances: npt.ArrayLike, *, plane: PlaneMap | None = None
) -> Match:
    """Match seen facings with planned positions.

    Args:
        planned: n positions.
        seen: m facings.
        distances: (n, m), `vision.appearance.distance` of position and facing.
        plane: from the planogram's frame to the photo, where the photo was registered.
    Returns:
        For no facings, or none that fit: no pairs.
    """
    odds = _appearance_odds(np.asarray(distances, dtype=np.float64))
    if plane is not None:
        pairs, places = _match_by_plane(planned, seen, odds, plane)
        return Match(pairs, plane, places, "pixels")
    pairs = _match_by_rows(planned, seen, odds)
    found: PlaneMap | None = None
    where: Boxes | None = None
    for _ in range(_ROUNDS_MAX):
        alike = (pairs >= 0) & (
            odds[np.arange(len(pairs)), pairs] > 0 if len(seen.boxes) else False
        )
        fitted = map_from_pairs(planned.boxes[alike], seen.boxes[pairs[alike]])
        if fitted is None:
            break
        again, where = _match_by_plane(planned, seen, odds, fitted)
        found = fitted
        if np.array_equal(again, pairs):
            break
        pairs = again
    return Match(pairs, found, where, "no" if found is None else "facings")


def _appearance_odds(distances: Reals) -> Reals:
    alike = np.clip(likeness(distances).astype(np.float64), 1e-6, 1 - 1e-6)
    out: Reals = np.clip(np.log(alike / (1 - alike)), -_APPEARANCE_MOST, _APPEARANCE_MOST)
    return out


def _match_by_plane(
    planned: Planned, seen: Seen, odds: Reals, plane: PlaneMap
) -> tuple[Ints, Boxes]:
    """Pairs and settled places, where the map says where each position lies in the photo."""
    places = mapped_boxes(planned.boxes, plane)
    first = _match_by_place(places, planned.rows, seen, odds, _WIDE)
    places = settled(places, planned.rows, seen.boxes, first, odds)
    pairs = _match_by_place(places, planned.rows, seen, odds, _NEAR)
    return pairs, settled(places, planned.rows, seen.boxes, pairs, odds)


def settled(places: Boxes, rows: Ints, facings: Boxes, facing_of: Ints, odds: Reals) -> Boxes:
    """Places shifted as the surely paired goods nearby are off theirs.

    Shelves are not one plane, and goods are put back a little off: what stands nearby on the same
    shelf tells how far the map is off here, and other shelves tell where that one has too few.
    """
    pairs = np.flatnonzero(facing_of >= 0)
    pairs = pairs[odds[pairs, facing_of[pairs]] >= _SURE]
    if len(pairs) < NEIGHBOURS:
        return places
    off = centres(facings[facing_of[pairs]]) - centres(places[pairs])
    away = np.abs(centres(places)[:, None] - centres(places[pairs])[None])
    other_shelf = rows[:, None] != rows[pairs][None]
    far = away[..., 0] + 3 * away[..., 1] + other_shelf * 2 * np.median(sizes(places)[:, 1])
    near = np.argsort(far, axis=1)[:, :NEIGHBOURS]
    out: Boxes = places + np.tile(np.median(off[near], axis=1), 2)
    return out


def _match_by_place(places: Boxes, rows: Ints, seen: Seen, odds: Reals, reach: _Reach) -> Ints:
    n, m = odds.shape
    facing_of = np.full(n, -1, dtype=np.int64)
    if not n or not m:
        return facing_of
    gains = _place_odds(places, seen.boxes, reach) + odds
    facing_row = _shelf_of(places, rows, seen.boxes, reach)
    for row in np.unique(rows):
        mine = np.flatnonzero(rows == row)
        theirs = np.flatnonzero(facing_row == row)
        theirs = theirs[np.argsort(centres(seen.boxes[theirs])[:, 0], kind="stable")]
        for i, j in align(gains[np.ix_(mine, theirs)])[0]:
            facing_of[mine[i]] = theirs[j]
    return _give_leftovers(facing_of, places, seen.boxes, gains)


def _place_odds(places: Boxes, facings: Boxes, reach: _Reach) -> Reals:
    """Log odds that a facing is the one of a place, from where it stands and its size: (n, m)."""
    size = np.maximum(sizes(places), 1e-6)
    away = (centres(facings)[None] - centres(places)[:, None]) / size[:, None]
    growth = np.log(np.maximum(sizes(facings), 1e-6)[None] / size[:, None])
    squares = (away**2).sum(axis=2) / reach.spread**2 + (growth**2).sum(axis=2) / 0.25**2
    odds = np.maximum(_PLACE_BEST - squares / 2, _PLACE_WORST)
    far = (np.abs(away[..., 0]) > reach.widths) | (np.abs(away[..., 1]) > reach.heights)
    out: Reals = np.where(far, -np.inf, odds)
    return out


def _shelf_of(places: Boxes, rows: Ints, facings: Boxes, reach: _Reach) -> Ints:
    """For each facing the planned row whose places lie nearest to it: (m,); `NO_ROW` if none."""
    size = np.maximum(sizes(places), 1e-6)
    away = np.abs(centres(facings)[:, None] - centres(places)[None]) / size[None]
    # Up and down weighs more: the neighbour in the row is still the right row.
    far = 0.3 * away[..., 0] + away[..., 1]
    nearest = np.argmin(far, axis=1)
    within = away[np.arange(len(facings)), nearest, 1] <= reach.heights
    out: Ints = np.where(within, rows[nearest], NO_ROW)
    return out


def _give_leftovers(facing_of: Ints, places: Boxes, facings: Boxes, gains: Reals) -> Ints:
    """Pair what order left over and place puts together: stacked goods have no left and right."""
    free = np.setdiff1d(np.arange(len(facings)), facing_of[facing_of >= 0])
    open_ = np.flatnonzero(facing_of < 0)
    if not len(free) or not len(open_):
        return facing_of
    shared = iou(places[open_], facings[free])
    worth = np.where(shared >= 0.3, gains[np.ix_(open_, free)], -np.inf)
    cost = np.where(np.isfinite(worth), -worth, 1e3)
    out = facing_of.copy()
    for i, j in zip(*linear_sum_assignment(cost), strict=True):
        if worth[i, j] > 2 * _SKIP:
            out[open_[i]] = free[j]
    return out


def _match_by_rows(planned: Planned, seen: Seen, odds: Reals) -> Ints:
    """Pairs from the order of rows and of facings alone."""
    n, m = odds.shape
    facing_of = np.full(n, -1, dtype=np.int64)
    shelves = [np.flatnonzero(planned.rows == row) for row in np.unique(planned.rows)]
    rows = [np.flatnonzero(seen.rows == row) for row in np.unique(seen.rows) if row != NO_ROW]
    rows = [row[np.argsort(centres(seen.boxes[row])[:, 0], kind="stable")] for row in rows]
    if not n or not m or not rows:
        return facing_of
    gains = odds + _size_odds(planned, seen)
    found = [[align(gains[np.ix_(a, b)], ends_free=True) for b in rows] for a in shelves]
    scores = np.array([[score for _, score in line] for line in found])
    worth = np.where(scores >= _ROW_SCORE_MIN, scores, -np.inf)
    for a, b in align(worth, skip=0.0)[0]:
        for i, j in found[a][b][0]:
            facing_of[shelves[a][i]] = rows[b][j]
    return facing_of


def _size_odds(planned: Planned, seen: Seen) -> Reals:
    """Log odds from height over width, which hold whatever the distance to the shelf: (n, m)."""
    mine, theirs = sizes(planned.boxes), sizes(seen.boxes)
    first = np.log(np.maximum(mine[:, 1], 1e-6) / np.maximum(mine[:, 0], 1e-6))
    second = np.log(np.maximum(theirs[:, 1], 1e-6) / np.maximum(theirs[:, 0], 1e-6))
    steps = (first[:, None] - second[None]) / 0.25
    out: Reals = np.maximum(0.5 - steps**2 / 2, -2.0)
    return out


def align(
    gains: Reals, *, skip: float = _SKIP, ends_free: bool = False
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
    n, m = gains.shape
    edge = 0.0 if ends_free else skip
    best = edge * np.arange(m + 1)
    steps = skip * np.arange(m + 1)
    moves = np.full((n + 1, m + 1), _LEFT, dtype=np.int8)
    for i in range(1, n + 1):
        reached = best + skip
        reached[0] = best[0] + edge
        if ends_free:
            reached[m] = best[m]
        paired = best[:-1] + gains[i - 1]
        better = paired > reached[1:]
        reached[1:][better] = paired[better]
        # Leaving out facings runs along the row: a running maximum does it without a loop.
        last = ends_free and i == n
        best = np.maximum.accumulate(reached - (0.0 if last else steps)) + (0.0 if last else steps)
        moves[i] = np.where(best > reached + 1e-9, _LEFT, _UP)
        moves[i, 1:][better & (moves[i, 1:] != _LEFT)] = _PAIR
    return _trace(moves), float(best[m])


_UP: Final = 0
_PAIR: Final = 1
_LEFT: Final = 2


def _trace(moves: npt.NDArray[np.int8]) -> list[tuple[int, int]]:
    """The pairs on the way back from the end of both sequences."""
    i, j = moves.shape[0] - 1, moves.shape[1] - 1
    pairs = []
    while i and j:
        move = moves[i, j]
        if move == _PAIR:
            pairs.append((i - 1, j - 1))
        i -= move != _LEFT
        j -= move != _UP
    return pairs[::-1]
