"""Which facing stands at which place of the photo. Pure: boxes and likelihoods, no map is sought.

Shelf by shelf, places and facings are paired by assignment, from where they lie, their size and
their look; goods that are surely paired say how far the map is off nearby.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from planograms.alignment import SKIP
from vision.geometry import Boxes, PlaneMap, centres, iou, mapped_boxes, sizes, visible_share

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

NO_ROW: Final = -1

_PLACE_BEST: Final = 2.5
_PLACE_WORST: Final = -3.0
_SPREAD_LEAST: Final = 0.05
"""Of a facing's size: boxes are drawn no truer than that."""
_SIZE_COST_MOST: Final = 3.0
"""Counted apart from the place: one of another size, and off, is not the one of this place."""
_SIZE_SPREAD: Final = 0.25
"""One standard deviation of the log of a facing's size against its place's."""
_EDGE: Final = 0.01
"""Of its size: what ends so near to the photo's edge is cut by it."""
_SHOWN_SHARE: Final = 0.85
"""Of a place, from which on it is in view; that of `planograms.compare`."""


@dataclass(frozen=True)
class Reach:
    """How far from its place a facing is still the one of that position, in its own size."""

    widths: float
    heights: float
    spread: float
    """One standard deviation."""


NEAR: Final = Reach(0.8, 0.6, 0.15)
WIDE: Final = Reach(1.5, 1.0, 0.4)
"""Goods behind or before the plane of the shelf fronts lie this far from the mapped place when the
photo is taken from elsewhere; a first round with it tells by how much, shelf by shelf."""
_MOST: Final = 80
"""Of a hundred pairs, so many must lie near their places for all to count as lying near."""
_FEW: Final = 40
"""Facings of a view in which a single run may outvote all others."""
_FACINGS_AT_ONCE: Final = 64
NEIGHBOURS: Final = 5
_GAP_LEFT: Final = 0.25
"""Of the way from one place to the next, at the least, when both are settled: by hand."""
SURE: Final = 1.5
"""Log odds of appearance from which a pair may say how far goods are off the map."""


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
    size: tuple[float, float] | None = None
    """Width and height of the photo; None where not known."""

    @property
    def uncut(self) -> npt.NDArray[np.bool_]:
        """(m, 4) edges that are the facing's own: the photo's edge says not where one stands."""
        if self.size is None:
            return np.ones((len(self.boxes), 4), dtype=bool)
        away = np.concatenate([self.boxes[:, :2], np.array(self.size) - self.boxes[:, 2:]], axis=1)
        own: npt.NDArray[np.bool_] = away > _EDGE * np.tile(sizes(self.boxes), 2)
        return own

    def shows(self, places: Boxes) -> npt.NDArray[np.bool_]:
        """(n,) places of the photo that are (nearly) whole in it; all where its size is unknown."""
        if self.size is None:
            return np.ones(len(places), dtype=bool)
        out: npt.NDArray[np.bool_] = (
            visible_share(places, width=self.size[0], height=self.size[1]) >= _SHOWN_SHARE
        )
        return out


def match_by_plane(
    planned: Planned, seen: Seen, odds: Reals, plane: PlaneMap, *, by_facings: bool
) -> tuple[Ints, Boxes]:
    """Pairs and settled places, where the map says where each position lies in the photo.

    Args:
        by_facings: the map was drawn through these facings: most of them lie as near to their
            places as they can, and no shelf as a whole is off.
    """
    places = mapped_boxes(planned.boxes, plane)
    # A shelf as a whole first: narrow packs alone cannot tell a shift of half a pack's width.
    pairs = match_by_place(places, planned.rows, seen, odds, WIDE)
    if by_facings and len(seen.boxes) < _FEW:
        narrow = _as_wide_as_seen(places, seen, odds, pairs, most=50)
        pairs = match_by_place(places, planned.rows, seen, odds, narrow)
    places = settled(places, planned.rows, seen, pairs, odds, neighbours=3 * NEIGHBOURS)
    for reach in (_as_wide_as_seen(places, seen, odds, pairs), NEAR):
        pairs = match_by_place(places, planned.rows, seen, odds, reach)
        places = settled(places, planned.rows, seen, pairs, odds)
    return pairs, places


def _as_wide_as_seen(
    places: Boxes, seen: Seen, odds: Reals, facing_of: Ints, *, most: int = _MOST
) -> Reach:
    """`WIDE`, but no wider spread than most surely paired goods of this photo are off.

    Where goods stand where they should, a run with a gap does not move up to fill it.
    """
    pairs = np.flatnonzero(facing_of >= 0)
    pairs = pairs[odds[pairs, facing_of[pairs]] >= SURE]
    if len(pairs) < NEIGHBOURS:
        return WIDE
    off = _off(places[pairs], seen.boxes[facing_of[pairs]])
    usual = float(np.percentile(np.sqrt((off**2).sum(axis=1)), most))
    return replace(WIDE, spread=min(max(usual, NEAR.spread), WIDE.spread))


def _off(places: Boxes, facings: Boxes) -> Reals:
    """How far facings are off their places, in the places' sizes: (n, 2), one by one."""
    out: Reals = (centres(facings) - centres(places)) / np.maximum(sizes(places), 1e-6)
    return out


def settled(
    places: Boxes,
    rows: Ints,
    seen: Seen,
    facing_of: Ints,
    odds: Reals,
    *,
    neighbours: int = NEIGHBOURS,
) -> Boxes:
    """Places shifted as the surely paired goods nearby are off theirs.

    Shelves are not one plane, and goods are put back a little off: what stands nearby on the same
    shelf tells how far the map is off here, and other shelves tell where that one has too few.
    """
    pairs = np.flatnonzero(facing_of >= 0)
    pairs = pairs[odds[pairs, facing_of[pairs]] >= SURE]
    uncut = seen.uncut[facing_of[pairs]]
    told = uncut[:, [0, 2]].any(axis=1) & uncut[:, [1, 3]].any(axis=1)
    pairs, uncut = pairs[told], uncut[told]
    if len(pairs) < NEIGHBOURS:
        return places
    middle, out = centres(places), places.copy()
    off = np.where(uncut, seen.boxes[facing_of[pairs]] - places[pairs], 0.0).reshape(-1, 2, 2)
    off = off.sum(axis=1) / uncut.reshape(-1, 2, 2).sum(axis=1)
    of_pair = rows[pairs]
    further = 2 * float(np.median(places[:, 3] - places[:, 1]))
    for row in np.unique(rows):
        mine = np.flatnonzero(rows == row)
        near = np.flatnonzero(of_pair == row)
        others = len(near) < neighbours
        near = np.arange(len(pairs)) if others else near
        away = span(middle[mine, 1], middle[pairs[near], 1])
        away *= 3.0
        away += span(middle[mine, 0], middle[pairs[near], 0])
        if others:
            away += (of_pair != row) * further
        count = min(neighbours, len(near))
        nearest = near[np.argpartition(away, count - 1, axis=1)[:, :count]]
        shifts = _middle_of(off[nearest])
        if _pass_one_another(places[mine], shifts):
            # Two products in turn, mirrored: each looks like its neighbour's.
            shifts = np.broadcast_to(np.median(off[np.unique(nearest)], axis=0), shifts.shape)
        out[mine] += np.tile(shifts, 2)
    return out


def _pass_one_another(places: Boxes, shifts: Reals) -> bool:
    """Whether places of a shelf that stand side by side change their order, or come together.

    Goods stand where they stand by their neighbours: none is put back on the far side of the next.

    Args:
        places: (n, 4); shifts: (n, 2).
    """
    order = np.argsort((places[:, 0] + places[:, 2]) / 2, kind="stable")
    x = ((places[:, 0] + places[:, 2]) / 2)[order]
    wide = (places[:, 2] - places[:, 0])[order]
    before, after = np.diff(x), np.diff(x + shifts[order, 0])
    beside = before >= 0.5 * np.minimum(wide[1:], wide[:-1])
    return bool((after[beside] < _GAP_LEFT * before[beside]).any())


def span(first: Reals, second: Reals) -> Reals:
    """How far apart two sets of numbers are: (n, m)."""
    out: Reals = first[:, None] - second[None]
    return np.abs(out, out=out)


def _middle_of(values: Reals) -> Reals:
    """The median along the second axis of (n, k, 2), k small: (n, 2)."""
    ranked = np.sort(values, axis=1)
    half, even = divmod(ranked.shape[1], 2)
    out: Reals = ranked[:, half] if even else (ranked[:, half - 1] + ranked[:, half]) / 2
    return out


def match_by_place(places: Boxes, rows: Ints, seen: Seen, odds: Reals, reach: Reach) -> Ints:
    n, m = odds.shape
    facing_of = np.full(n, -1, dtype=np.int64)
    if not n or not m:
        return facing_of
    fronts, stood = _Laid.of(places), _Laid.of(seen.boxes)
    facing_row = _shelf_of(fronts, rows, stood, reach)
    for row in np.unique(facing_row[facing_row != NO_ROW]):
        mine, theirs = np.flatnonzero(rows == row), np.flatnonzero(facing_row == row)
        i, j, gains = _place_odds(fronts.some(mine), stood.some(theirs), reach)
        gains += odds[mine[i], theirs[j]]
        # Stacked goods have no left and right: places pair them, not their order.
        gains -= 2 * SKIP
        worth = np.zeros((len(mine), len(theirs)))
        worth[i, j] = np.maximum(gains, 0.0)
        i, j = linear_sum_assignment(worth, maximize=True)
        good = worth[i, j] > 0
        facing_of[mine[i[good]]] = theirs[j[good]]
    return _give_leftovers(facing_of, places, seen.boxes, odds, reach)


@dataclass(frozen=True)
class _Laid:
    """Boxes as they are asked: each of these is asked several times."""

    middle: Reals
    """(n, 2)"""
    size: Reals
    """(n, 2), above 0."""
    logs: Reals
    """(n, 2) of the size."""

    @classmethod
    def of(cls, boxes: Boxes) -> "_Laid":
        size = np.maximum(sizes(boxes), 1e-6)
        return cls(centres(boxes), size, np.log(size))

    def some(self, which: Ints) -> "_Laid":
        return _Laid(self.middle[which], self.size[which], self.logs[which])


def _place_odds(places: _Laid, facings: _Laid, reach: Reach) -> tuple[Ints, Ints, Reals]:
    """Log odds that a facing is the one of a place, from where it stands and its size.

    Returns:
        Numbers of places and of facings, (k,) each, and the odds of these pairs; all others lie
        out of reach.
    """
    across, down = (facings.middle[None, :, k] - places.middle[:, k, None] for k in (0, 1))
    across /= places.size[:, 0, None]
    down /= places.size[:, 1, None]
    near = np.abs(across) <= reach.widths
    near &= np.abs(down) <= reach.heights
    i, j = np.nonzero(near)
    grown = facings.logs[j] - places.logs[i]
    off = _squares(across[i, j], down[i, j])
    return i, j, _stands(off, _squares(grown[:, 0], grown[:, 1]), reach)


def _stands(off: Reals, grown: Reals, reach: Reach, *, best: float = _PLACE_BEST) -> Reals:
    """Log odds from squares: off its place in sizes, and larger in logarithms. Both are used up."""
    off /= -2 * reach.spread**2
    off += best
    np.maximum(off, _PLACE_WORST, out=off)
    grown /= 2 * _SIZE_SPREAD**2
    off -= np.minimum(grown, _SIZE_COST_MOST, out=grown)
    return off


def worth_of(
    places: Boxes, seen: Seen, odds: Reals, facing_of: Ints, *, other: npt.NDArray[np.bool_]
) -> float:
    """The log odds that all pairs add up to, against leaving out those facings.

    Places in view at which no facing stands are left out, and cost as much; so do facings without
    a place, but what is no part of the bay. The nearer all stand to their places, the more says
    each: that many are so near by chance is unlikely.

    Args:
        other: (m,) what is no part of the bay: goods to its left and right, leaflets.
    """
    held = np.flatnonzero(facing_of >= 0)
    theirs = facing_of[held]
    bare = np.count_nonzero(seen.shows(places) & (facing_of < 0))
    loose = ~other
    loose[theirs] = False
    if not len(held):
        return SKIP * (bare + np.count_nonzero(loose))
    size = np.maximum(sizes(places[held]), 1e-6)
    off = (_off(places[held], seen.boxes[theirs]) ** 2).sum(axis=1)
    grown = np.log(np.maximum(sizes(seen.boxes[theirs]), 1e-6) / size)
    # Half of a round heap lies within 1.18 spreads of its middle.
    spread = min(max(float(np.sqrt(np.median(off))) / 1.18, _SPREAD_LEAST), WIDE.spread)
    near = replace(WIDE, spread=spread)
    more = 2 * float(np.log(WIDE.spread / spread))
    stands = _stands(off, (grown**2).sum(axis=1), near, best=_PLACE_BEST + more)
    return float((stands + odds[held, theirs] - SKIP).sum()) + SKIP * (
        bare + np.count_nonzero(loose)
    )


def _squares(first: Reals, second: Reals) -> Reals:
    """The sum of both squares; both arguments are used up."""
    first *= first
    second *= second
    first += second
    return first


def _shelf_of(places: _Laid, rows: Ints, facings: _Laid, reach: Reach) -> Ints:
    """For each facing the planned row whose places lie nearest to it: (m,); `NO_ROW` if none."""
    out = np.full(len(facings.middle), NO_ROW, dtype=np.int64)
    # Which is nearest needs no more than six digits.
    middle, size = places.middle.astype(np.float32), places.size.astype(np.float32)
    stood = facings.middle.astype(np.float32)
    # Facings first: the nearest of each is then looked for in one stretch of memory; and a few at
    # a time, so that it is a stretch which the processor keeps at hand.
    for first in range(0, len(out), _FACINGS_AT_ONCE):
        own = stood[first : first + _FACINGS_AT_ONCE]
        across, far = (own[:, k, None] - middle[None, :, k] for k in (0, 1))
        far /= size[:, 1]
        np.abs(far, out=far)
        across /= size[:, 0]
        np.abs(across, out=across)
        # Up and down weighs more: the neighbour in the row is still the right row.
        across *= np.float32(0.3)
        across += far
        nearest = np.argmin(across, axis=1)
        within = far[np.arange(len(own)), nearest] <= reach.heights
        out[first : first + len(own)] = np.where(within, rows[nearest], NO_ROW)
    return out


def _give_leftovers(
    facing_of: Ints, places: Boxes, facings: Boxes, odds: Reals, reach: Reach
) -> Ints:
    """Pair what the shelves left over and place puts together, whatever its shelf seemed to be."""
    taken = np.zeros(len(facings), dtype=bool)
    taken[facing_of[facing_of >= 0]] = True
    free, open_ = np.flatnonzero(~taken), np.flatnonzero(facing_of < 0)
    if not len(free) or not len(open_):
        return facing_of
    near = iou(places[open_], facings[free]) >= 0.3
    # Most of what is left over has nothing near it.
    some, any_ = near.any(axis=1), near.any(axis=0)
    open_, free, near = open_[some], free[any_], near[some][:, any_]
    if not len(open_):
        return facing_of
    i, j, gains = _place_odds(_Laid.of(places[open_]), _Laid.of(facings[free]), reach)
    gains += odds[open_[i], free[j]]
    worth = np.full(near.shape, -np.inf)
    worth[i, j] = np.where(near[i, j], gains, -np.inf)
    cost = np.where(np.isfinite(worth), -worth, 1e3)
    out = facing_of.copy()
    for i, j in zip(*linear_sum_assignment(cost), strict=True):
        if worth[i, j] > 2 * SKIP:
            out[open_[i]] = free[j]
    return out
