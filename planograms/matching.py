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

from planograms.alignment import SKIP, align, align_many
from vision.appearance import likeness_odds
from vision.geometry import (
    Boxes,
    PlaneMap,
    areas,
    centres,
    iou,
    map_from_pairs,
    mapped_boxes,
    sizes,
)

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

NO_ROW: Final = -1

_APPEARANCE_MOST: Final = 4.0
"""No single picture weighs more than this, in log odds: a label may be turned or glare."""
_PLACE_BEST: Final = 2.5
_PLACE_WORST: Final = -3.0
_OTHER_LAYER: Final = 2.0
"""Log odds against a facing in the second layer being the one planned for the first."""
_SIZE_SPREAD: Final = 0.25
"""One standard deviation of the log of a facing's size against its place's."""


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
_ROW_SKIP: Final = -2.0
"""A shelf between two that are seen is mostly seen as well."""
_EDGE: Final = 0.01
"""Of its size: what ends so near to the photo's edge is cut by it."""
_FEW_PAIRS: Final = 60
"""With fewer pairs their map is made anew until they stay the same."""
_ROUNDS_MAX: Final = 3
_VOTES_MIN: Final = 6
_VOTES_TRIED: Final = 300

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
    fitted = _fitted(planned, seen, odds, pairs)
    if fitted is None and (voted := _match_by_votes(planned, seen, odds)) is not None:
        pairs = voted
        fitted = _fitted(planned, seen, odds, pairs)
    if fitted is None:
        return Match(pairs, None, None, "no")
    # What the order of rows got wrong, places put right; the map of those pairs is the better one.
    if (pairs >= 0).sum() >= _FEW_PAIRS:
        rough = _match_by_place(
            mapped_boxes(planned.boxes, fitted), planned.rows, seen, odds, _WIDE
        )
        found = _fitted(planned, seen, odds, rough, near=fitted)
        found = fitted if found is None else found
        pairs, where = _match_by_plane(planned, seen, odds, found)
        return Match(pairs, found, where, "facings")
    for _ in range(_ROUNDS_MAX):
        again, where = _match_by_plane(planned, seen, odds, fitted)
        found = fitted
        if np.array_equal(again, pairs):
            break
        pairs = again
        fitted = _fitted(planned, seen, odds, pairs)
        if fitted is None:
            break
    return Match(pairs, found, where, "facings")


def _fitted(
    planned: Planned, seen: Seen, odds: Reals, pairs: Ints, *, near: PlaneMap | None = None
) -> PlaneMap | None:
    """The map that the pairs which look alike agree on; `near` is known to be almost it."""
    if not len(seen.boxes):
        return None
    alike = np.flatnonzero(pairs >= 0)
    alike = alike[odds[alike, pairs[alike]] > 0]
    mine, theirs = planned.boxes[alike], seen.boxes[pairs[alike]]
    uncut = seen.uncut[pairs[alike]]
    return map_from_pairs(mine, theirs, uncut=uncut, near=near)


def _match_by_votes(planned: Planned, seen: Seen, odds: Reals) -> Ints | None:
    """Pairs where most facings agree how far the view lies off; None where too few do.

    For views of so few facings that rows and sequences fit in several places: each facing votes for
    all places of its product at once, whatever its row.
    """
    i, j = np.nonzero(odds >= _SURE)
    known = len(np.unique(j))
    if known < _VOTES_MIN:
        return None
    grown = np.median(np.sqrt(areas(seen.boxes[j]) / np.maximum(areas(planned.boxes[i]), 1e-9)))
    off = centres(seen.boxes[j]) - grown * centres(planned.boxes[i])
    near = 0.7 * sizes(seen.boxes[j])
    tried = np.unique(np.linspace(0, len(i) - 1, _VOTES_TRIED).round().astype(np.int64))
    agree = (np.abs(off[tried][:, None] - off[None]) <= near[None]).all(axis=2)
    votes = np.array([len(np.unique(j[some])) for some in agree])
    best = int(votes.argmax())
    if votes[best] < max(_VOTES_MIN, 0.6 * known):
        return None
    x, y = np.median(off[agree[best]], axis=0)
    plane = np.array([[grown, 0, x], [0, grown, y], [0, 0, 1.0]])
    return _match_by_place(mapped_boxes(planned.boxes, plane), planned.rows, seen, odds, _WIDE)


def _appearance_odds(distances: Reals) -> Reals:
    out: Reals = likeness_odds(distances).astype(np.float64)
    return np.clip(out, -_APPEARANCE_MOST, _APPEARANCE_MOST, out=out)


def _match_by_plane(
    planned: Planned, seen: Seen, odds: Reals, plane: PlaneMap
) -> tuple[Ints, Boxes]:
    """Pairs and settled places, where the map says where each position lies in the photo."""
    places = mapped_boxes(planned.boxes, plane)
    pairs = np.zeros(0, dtype=np.int64)
    # A shelf as a whole first: narrow packs alone cannot tell a shift of half a pack's width.
    for reach, neighbours in ((_WIDE, 3 * NEIGHBOURS), (_WIDE, NEIGHBOURS), (_NEAR, NEIGHBOURS)):
        pairs = _match_by_place(places, planned.rows, seen, odds, reach)
        places = settled(places, planned.rows, seen, pairs, odds, neighbours=neighbours)
    return pairs, places


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
    pairs = pairs[odds[pairs, facing_of[pairs]] >= _SURE]
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
        away = _span(middle[mine, 1], middle[pairs[near], 1])
        away *= 3.0
        away += _span(middle[mine, 0], middle[pairs[near], 0])
        if others:
            away += (of_pair != row) * further
        count = min(neighbours, len(near))
        nearest = near[np.argpartition(away, count - 1, axis=1)[:, :count]]
        out[mine] += np.tile(_middle_of(off[nearest]), 2)
    return out


def _span(first: Reals, second: Reals) -> Reals:
    """How far apart two sets of numbers are: (n, m)."""
    out: Reals = first[:, None] - second[None]
    return np.abs(out, out=out)


def _middle_of(values: Reals) -> Reals:
    """The median along the second axis of (n, k, 2), k small: (n, 2)."""
    ranked = np.sort(values, axis=1)
    half, even = divmod(ranked.shape[1], 2)
    out: Reals = ranked[:, half] if even else (ranked[:, half - 1] + ranked[:, half]) / 2
    return out


def _match_by_place(places: Boxes, rows: Ints, seen: Seen, odds: Reals, reach: _Reach) -> Ints:
    n, m = odds.shape
    facing_of = np.full(n, -1, dtype=np.int64)
    if not n or not m:
        return facing_of
    facing_row = _shelf_of(places, rows, seen.boxes, reach)
    for row in np.unique(rows):
        mine, theirs = np.flatnonzero(rows == row), np.flatnonzero(facing_row == row)
        if not len(theirs):
            continue
        worth = _place_odds(places[mine], seen.boxes[theirs], reach)
        worth += odds[mine[:, None], theirs]
        # Stacked goods have no left and right: places pair them, not their order.
        worth -= 2 * SKIP
        np.maximum(worth, 0.0, out=worth)
        i, j = linear_sum_assignment(worth, maximize=True)
        good = worth[i, j] > 0
        facing_of[mine[i[good]]] = theirs[j[good]]
    return _give_leftovers(facing_of, places, seen.boxes, odds, reach)


def _place_odds(places: Boxes, facings: Boxes, reach: _Reach) -> Reals:
    """Log odds that a facing is the one of a place, from where it stands and its size: (n, m)."""
    wide, high = np.maximum(sizes(places), 1e-6).T
    own_wide, own_high = np.maximum(sizes(facings), 1e-6).T
    across, down = _away(places, facings)
    far = (np.abs(across) > reach.widths) | (np.abs(down) > reach.heights)
    odds = _squares(across, down)
    odds /= -2 * reach.spread**2
    grown = _squares(
        np.log(own_wide)[None] - np.log(wide)[:, None],
        np.log(own_high)[None] - np.log(high)[:, None],
    )
    grown /= 2 * _SIZE_SPREAD**2
    odds -= grown
    odds += _PLACE_BEST
    np.maximum(odds, _PLACE_WORST, out=odds)
    odds[far] = -np.inf
    return odds


def _squares(first: Reals, second: Reals) -> Reals:
    """The sum of both squares; both arguments are used up."""
    first *= first
    second *= second
    first += second
    return first


def _away(places: Boxes, facings: Boxes) -> tuple[Reals, Reals]:
    """How far facings stand to the right of places and below, in the places' sizes: (n, m) each."""
    size, middle, own = np.maximum(sizes(places), 1e-6), centres(places), centres(facings)
    across, down = (own[None, :, k] - middle[:, k, None] for k in (0, 1))
    across /= size[:, 0, None]
    down /= size[:, 1, None]
    return across, down


def _shelf_of(places: Boxes, rows: Ints, facings: Boxes, reach: _Reach) -> Ints:
    """For each facing the planned row whose places lie nearest to it: (m,); `NO_ROW` if none."""
    size, middle, own = np.maximum(sizes(places), 1e-6), centres(places), centres(facings)
    # Facings first: the nearest of each is then looked for in one stretch of memory.
    far, across = (own[:, k, None] - middle[None, :, k] for k in (1, 0))
    far /= size[:, 1]
    np.abs(far, out=far)
    across /= size[:, 0]
    np.abs(across, out=across)
    # Up and down weighs more: the neighbour in the row is still the right row.
    across *= 0.3
    across += far
    nearest = np.argmin(across, axis=1)
    within = far[np.arange(len(facings)), nearest] <= reach.heights
    out: Ints = np.where(within, rows[nearest], NO_ROW)
    return out


def _give_leftovers(
    facing_of: Ints, places: Boxes, facings: Boxes, odds: Reals, reach: _Reach
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
    gains = _place_odds(places[open_], facings[free], reach) + odds[open_[:, None], free]
    worth = np.where(near, gains, -np.inf)
    cost = np.where(np.isfinite(worth), -worth, 1e3)
    out = facing_of.copy()
    for i, j in zip(*linear_sum_assignment(cost), strict=True):
        if worth[i, j] > 2 * SKIP:
            out[open_[i]] = free[j]
    return out


def _match_by_rows(planned: Planned, seen: Seen, odds: Reals) -> Ints:
    """Pairs from the order of rows and of facings alone."""
    n, m = odds.shape
    facing_of = np.full(n, -1, dtype=np.int64)
    shelves, layers = _in_columns(planned.boxes, planned.rows)
    rows, seen_layers = _in_columns(seen.boxes, seen.rows)
    if not n or not m or not rows:
        return facing_of
    gains = odds + _size_odds(planned, seen)
    gains -= _OTHER_LAYER * (layers[:, None] != seen_layers[None])
    aligned = align_many([gains[a[:, None], b] for a in shelves for b in rows], ends_free=True)
    scores = aligned.totals.reshape(len(shelves), len(rows))
    worth = np.where(scores >= _ROW_SCORE_MIN, scores, -np.inf)
    for a, b in align(worth, skip=_ROW_SKIP, ends_free=True)[0]:
        for i, j in aligned.pairs(a * len(rows) + b):
            facing_of[shelves[a][i]] = rows[b][j]
    return facing_of


def _in_columns(boxes: Boxes, rows: Ints) -> tuple[list[Ints], Ints]:
    """Each row's members from the left, stacked ones from the foot up; and the layer of each.

    Returns:
        One array of numbers for each row but `NO_ROW`, the lowest first; (n,) layers, 0 on the
        board.
    """
    layers = np.zeros(len(boxes), dtype=np.int64)
    middle, size = centres(boxes), sizes(boxes)
    out = []
    for row in np.unique(rows[rows != NO_ROW]):
        mine = np.flatnonzero(rows == row)
        x, y = middle[mine].T
        wide, high = size[mine].T
        beside = _span(x, x) < 0.5 * np.minimum(wide[:, None], wide[None])
        under = beside & (y[None] - y[:, None] > 0.5 * np.minimum(high[:, None], high[None]))
        layers[mine] = under.sum(axis=1)
        # A column stands where its lowest facing does.
        lowest = np.where(under, y[None], y[:, None] - 1e-9).argmax(axis=1)
        base = np.where(layers[mine] > 0, x[lowest], x)
        out.append(mine[np.lexsort((layers[mine], base))])
    return out, layers


def _size_odds(planned: Planned, seen: Seen) -> Reals:
    """Log odds from height over width, which hold whatever the distance to the shelf: (n, m)."""
    mine, theirs = sizes(planned.boxes), sizes(seen.boxes)
    first = np.log(np.maximum(mine[:, 1], 1e-6) / np.maximum(mine[:, 0], 1e-6))
    second = np.log(np.maximum(theirs[:, 1], 1e-6) / np.maximum(theirs[:, 0], 1e-6))
    steps = (first[:, None] - second[None]) / 0.25
    out: Reals = np.maximum(0.5 - steps**2 / 2, -2.0)
    return out
