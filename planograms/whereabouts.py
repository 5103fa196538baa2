"""Where a photo's view lies on the planogram, as its facings tell it. Pure: boxes and likelihoods.

Rows and sequences fit in several places where products stand in runs and twice, and a view of few
facings fits almost anywhere. So several maps are thought of, and the one under which most facings
stand where they should, looking as they should, is taken.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from planograms.placing import (
    SURE,
    WIDE,
    Ints,
    Planned,
    Reals,
    Seen,
    match_by_place,
    worth_of,
)
from vision.geometry import PlaneMap, areas, centres, map_from_pairs, mapped, mapped_boxes, sizes

_SKEW_USUAL: Final = 0.05
"""A camera turns, tilts and shrinks a shelf, but uprights stay nearly square to boards: a map that
leans them further has mostly taken one row for its neighbour in a run."""
_SKEW_COST_MOST: Final = 20.0
_ROUNDS_MAX: Final = 3
_DRAWN_IN_MOST: Final = 4
_MANY: Final = 60
"""Facings in place that tell a map without another round."""
_POINTS_MIN: Final = 8
_ROW_PAIRS_MIN: Final = 3
_KNOWN_MIN: Final = 6
_PLACED_MIN: Final = 5
_PLACED_SHARE: Final = 0.5
"""Of the facings that look like something planned, so many must find their place."""
_PLACED_WELL: Final = 0.7
"""Where a map places so many of them, facings need not vote."""
_SAME_SHARE: Final = 0.97
_WORTH_DRAWING_IN: Final = 0.6
_WORTH_WEIGHING: Final = 0.85
"""Of the most facings that any map places, so many are needed to be looked at further."""
_VOTES_TRIED: Final = 150
_NEAR_SIZES: Final = 0.7


def map_by_facings(planned: Planned, seen: Seen, odds: Reals, pairs: Ints) -> PlaneMap | None:
    """The map from the planogram's frame to the photo that the facings tell.

    Args:
        planned: n positions.
        seen: m facings.
        odds: (n, m) log odds that a facing shows the product of a position.
        pairs: (n,) facing of each position by rows and sequences; -1 for none.
    Returns:
        None where too few facings are known, or no map puts most of them in place.
    """
    if not len(seen.boxes) or not len(planned.boxes):
        return None
    alike = _Alike.of(planned, seen, odds)
    fitted = _fitted(planned, seen, odds, pairs)
    tried = [] if fitted is None else [fitted]
    tried += _maps_of_rows(planned, seen, odds, pairs)
    placed = [alike.placed(plane) for plane in tried]
    if max(placed, default=0) < _PLACED_WELL * alike.known:
        tried += _maps_of_votes(planned, seen, odds)
        placed = [alike.placed(plane) for plane in tried]
    others: list[tuple[int, PlaneMap]] = []
    for k in np.argsort(placed, kind="stable")[::-1].tolist():
        if len(others) == _DRAWN_IN_MOST or placed[k] < _WORTH_DRAWING_IN * max(placed):
            break
        if not any(alike.same(other, tried[k]) for _, other in others):
            count, plane = alike.drawn_in(tried[k])
            if not any(alike.same(other, plane) for _, other in others):
                others.append((count, plane))
    most = max((count for count, _ in others), default=0)
    if most < max(_PLACED_MIN, _PLACED_SHARE * alike.known):
        return None
    rivals = [plane for count, plane in others if count >= _WORTH_WEIGHING * most]
    if len(rivals) == 1 and most >= _MANY:
        pairs = np.full(len(planned.boxes), -1, dtype=np.int64)
        some = alike.standing(rivals[0])
        pairs[alike.i[some]] = alike.j[some]
        found = _fitted(planned, seen, odds, pairs, near=rivals[0])
        return rivals[0] if found is None else found
    refined = (
        _refined(planned, seen, odds, _weighed(planned, seen, odds, plane)) for plane in rivals
    )
    return max(refined, key=lambda one: one[0])[1]


@dataclass(frozen=True)
class _Alike:
    """All pairs of a position and a facing that look like one product, whatever their places."""

    i: Ints
    """(k,) positions."""
    j: Ints
    """(k,) facings."""
    there: Reals
    """(k, 2) where each of those facings stands."""
    near: Reals
    """(k, 2) how far off its place is near."""
    whole: npt.NDArray[np.bool_]
    """(k,) facings that the photo's edge does not cut."""
    middles: Reals
    """(n, 2) of the positions."""
    reach: tuple[Reals, Reals, Reals]
    """Lowest and highest corner that facings have, and half the size of a usual one; (2,) each."""
    facings: int

    @classmethod
    def of(cls, planned: Planned, seen: Seen, odds: Reals) -> "_Alike":
        """All pairs that surely look alike."""
        i, j = np.nonzero(odds >= SURE)
        size = sizes(seen.boxes)
        reach = (
            seen.boxes[:, :2].min(axis=0), seen.boxes[:, 2:].max(axis=0), np.median(size, axis=0) / 2
        )  # fmt: skip
        return cls(
            i, j, centres(seen.boxes)[j], _NEAR_SIZES * size[j], seen.uncut.all(axis=1)[j],
            centres(planned.boxes), reach, len(size),
        )  # fmt: skip

    @property
    def known(self) -> int:
        """How many facings look like something planned."""
        return int(np.count_nonzero(np.bincount(self.j, minlength=1)))

    def standing(self, plane: PlaneMap) -> Ints:
        """Numbers of the pairs that stand near each other under a map, the nearest of each facing."""
        off = np.abs(mapped(self.middles, plane)[self.i] - self.there)
        off /= self.near
        far = off.max(axis=1)
        some = np.flatnonzero(far <= 1)
        nearest = np.full(self.facings, np.inf)
        np.minimum.at(nearest, self.j[some], far[some])
        out: Ints = some[far[some] <= nearest[self.j[some]]]
        return out

    def placed(self, plane: PlaneMap) -> int:
        """How many facings stand near a place of their product under a map."""
        return len(self.standing(plane))

    def same(self, first: PlaneMap, second: PlaneMap) -> bool:
        """Whether two maps put nearly all that both have in view at one place."""
        here, there = mapped(self.middles, first), mapped(self.middles, second)
        low, high, half = self.reach
        shown = ((here > low) & (here < high)).all(axis=1)
        close = (np.abs(here - there)[shown] < half).all(axis=1)
        return bool(len(close)) and bool(close.mean() >= _SAME_SHARE)

    def drawn_in(self, plane: PlaneMap) -> tuple[int, PlaneMap]:
        """The map of the pairs that stand near each other under a map, while it places more.

        Returns:
            How many facings it places, and the map.
        """
        some = self.standing(plane)
        for _ in range(_ROUNDS_MAX):
            told = some[self.whole[some]]
            found = _plane_of(self.middles[self.i[told]], self.there[told])
            if found is None:
                break
            again = self.standing(found)
            if len(again) < len(some):
                break
            grown, plane, some = len(again) > len(some), found, again
            if not grown:
                break
        return len(some), plane


def _plane_of(own: Reals, there: Reals) -> PlaneMap | None:
    """The map that takes points nearest to others, least squares; None of too few or of a line."""
    if len(own) < _POINTS_MIN:
        return None
    first, second = _evened(own), _evened(there)
    x, y = mapped(own, first).T
    u, v = mapped(there, second).T
    one, none = np.ones_like(x), np.zeros_like(x)
    table = np.concatenate(
        [
            np.stack([x, y, one, none, none, none, -u * x, -u * y, -u], axis=1),
            np.stack([none, none, none, x, y, one, -v * x, -v * y, -v], axis=1),
        ]
    )
    values, directions = np.linalg.eigh(table.T @ table)
    if values[1] < 1e-9 * values[-1]:
        return None
    plane = np.linalg.inv(second) @ directions[:, 0].reshape(3, 3) @ first
    if abs(plane[2, 2]) < 1e-12:
        return None
    out: PlaneMap = plane / plane[2, 2]
    return out


def _evened(points: Reals) -> PlaneMap:
    """The map to where points lie about one away from nought."""
    middle = points.mean(axis=0)
    shrink = 1 / max(1e-9, float(np.abs(points - middle).mean()))
    return np.array(
        [[shrink, 0, -middle[0] * shrink], [0, shrink, -middle[1] * shrink], [0, 0, 1.0]]
    )


_Weighed = tuple[float, PlaneMap, Ints]
"""What a map is worth, the map, and the pairs that it makes."""


def _fitted(
    planned: Planned, seen: Seen, odds: Reals, pairs: Ints, *, near: PlaneMap | None = None
) -> PlaneMap | None:
    """The map that the pairs which look alike agree on; `near` is known to be almost it."""
    alike = np.flatnonzero(pairs >= 0)
    alike = alike[odds[alike, pairs[alike]] > 0]
    mine, theirs = planned.boxes[alike], seen.boxes[pairs[alike]]
    return map_from_pairs(mine, theirs, uncut=seen.uncut[pairs[alike]], near=near)


def _skew(planned: Planned, plane: PlaneMap) -> float:
    """By how much, in radians, uprights are no longer square to boards in the middle of the view."""
    middle = centres(planned.boxes).mean(axis=0)
    step = 0.01 * max(float(np.ptp(planned.boxes[:, [0, 2]])), 1e-6)
    at, right, down = mapped(np.array([middle, middle + [step, 0], middle + [0, step]]), plane)
    across, along = right - at, down - at
    return float(abs(np.arctan2(across[1], across[0]) - np.arctan2(-along[0], along[1])))


def _weighed(planned: Planned, seen: Seen, odds: Reals, plane: PlaneMap) -> _Weighed:
    """What a map is worth: the log odds of all that it pairs, less what its skew costs."""
    places = mapped_boxes(planned.boxes, plane)
    pairs = match_by_place(places, planned.rows, seen, odds, WIDE)
    cost = min((_skew(planned, plane) / _SKEW_USUAL) ** 2 / 2, _SKEW_COST_MOST)
    return worth_of(places, seen, odds, pairs, WIDE) - cost, plane, pairs


def _refined(planned: Planned, seen: Seen, odds: Reals, one: _Weighed) -> _Weighed:
    """The map of the pairs that a map makes, for as long as it is worth more."""
    best = one
    for _ in range(_ROUNDS_MAX):
        plane = _fitted(planned, seen, odds, best[2], near=best[1])
        if plane is None:
            break
        again = _weighed(planned, seen, odds, plane)
        if again[0] <= best[0]:
            break
        best = again
    return best


def _maps_of_rows(planned: Planned, seen: Seen, odds: Reals, pairs: Ints) -> Iterator[PlaneMap]:
    """What each row tells by itself: how large, how turned, and where."""
    alike = np.flatnonzero(pairs >= 0)
    alike = alike[odds[alike, pairs[alike]] > 0]
    for row in np.unique(planned.rows[alike]):
        mine = alike[planned.rows[alike] == row]
        if len(mine) < _ROW_PAIRS_MIN:
            continue
        yield from _maps_of_shifts(planned, seen, mine, pairs[mine], most=2)


def _maps_of_votes(planned: Planned, seen: Seen, odds: Reals) -> Iterator[PlaneMap]:
    """Where most facings agree how far the view lies off, each voting for all its places at once."""
    i, j = np.nonzero(odds >= SURE)
    if len(np.unique(j)) >= _KNOWN_MIN:
        yield from _maps_of_shifts(planned, seen, i, j, most=2)


def _maps_of_shifts(
    planned: Planned, seen: Seen, i: Ints, j: Ints, *, most: int
) -> Iterator[PlaneMap]:
    """Maps on which many of some pairs (positions i, facings j) agree, at most so many."""
    own, there = centres(planned.boxes[i]), centres(seen.boxes[j])
    grown = float(
        np.median(np.sqrt(areas(seen.boxes[j]) / np.maximum(areas(planned.boxes[i]), 1e-9)))
    )
    if grown <= 0:
        return
    off, near = there - grown * own, _NEAR_SIZES * sizes(seen.boxes[j])
    tried = np.unique(np.linspace(0, len(i) - 1, _VOTES_TRIED).round().astype(np.int64))
    agree = (np.abs(off[tried][:, None] - off[None]) <= near[None]).all(axis=2)
    for _ in range(most):
        votes = np.array([len(np.unique(j[some])) for some in agree])
        best = int(votes.argmax())
        if votes[best] < _ROW_PAIRS_MIN:
            return
        some = agree[best]
        yield _turned(own[some], there[some], grown)
        # The next one must not be the same seen from its neighbour.
        agree = agree & ~some[None]


def _turned(own: Reals, there: Reals, grown: float) -> PlaneMap:
    """The map that turns, shrinks and shifts points as these pairs say; (n, 2) each."""
    middle, target = own.mean(axis=0), there.mean(axis=0)
    first, second = own - middle, there - target
    length = float((first**2).sum())
    along, aside = grown, 0.0
    # A short stretch says less of the scale than the facings' own sizes do.
    if len(own) >= _KNOWN_MIN and length > 0:
        along = float((first * second).sum()) / length
        aside = float((first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]).sum()) / length
        if not 0.8 * grown < along < 1.25 * grown or abs(aside) > 0.2 * grown:
            along, aside = grown, 0.0
    turn = np.array([[along, -aside], [aside, along]])
    shift = target - turn @ middle
    return np.array([[along, -aside, shift[0]], [aside, along, shift[1]], [0, 0, 1.0]])
