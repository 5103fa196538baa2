"""Where a photo's view lies on the planogram, as its facings tell it. Pure: boxes and likelihoods.

Rows and sequences fit in several places where products stand in runs and twice, and a view of few
facings fits almost anywhere. So several maps are thought of, and the one under which most facings
stand where they should, looking as they should, is taken.
"""

from collections.abc import Iterator
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

_MANY: Final = 100
"""So many known facings, nearly all in place under one map, need no other map to be tried: drawn
bays that one map got wrong were views of fewer, or left many of them out of place."""
_NEARLY_ALL: Final = 0.8
_SKEW_USUAL: Final = 0.05
"""A camera turns, tilts and shrinks a shelf, but uprights stay nearly square to boards: a map that
leans them further has mostly taken one row for its neighbour in a run."""
_SKEW_COST_MOST: Final = 20.0
_LOW: Final = 0.25
"""Of the lowest places' height; that of `planograms.compare`."""
_ROUNDS_MAX: Final = 8
_REFINED: Final = 4
_ROW_PAIRS_MIN: Final = 3
_VOTED: Final = 4
_KNOWN_MIN: Final = 6
_PLACED_MIN: Final = 5
_PLACED_FEW: Final = 3
_SURE_OF_FEW: Final = 8.0
"""Log odds: 3,000 to one."""
_PLACED_SHARE: Final = 0.5
"""Of the facings that look like something planned, so many must find their place."""
_VOTES_TRIED: Final = 300
_NEAR_SIZES: Final = 0.7

_Weighed = tuple[float, PlaneMap, Ints]
"""What a map is worth, the map, and the pairs that it makes."""


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
    if not odds.size:
        return None
    known = int(np.count_nonzero(odds.max(axis=0) >= SURE))
    fitted = _fitted(planned, seen, odds, pairs)
    if fitted is not None and known >= _MANY:
        places = mapped_boxes(planned.boxes, fitted)
        rough = match_by_place(places, planned.rows, seen, odds, WIDE)
        if len(_alike(odds, rough, SURE)) >= _NEARLY_ALL * known:
            found = _fitted(planned, seen, odds, rough, near=fitted)
            return fitted if found is None else found
    tried = [] if fitted is None else [fitted]
    tried += _maps_of_rows(planned, seen, odds, pairs)
    tried += _maps_of_votes(planned, seen, odds)
    weighed = sorted((_weighed(planned, seen, odds, plane) for plane in tried), key=_worth)
    best = sorted((_refined(planned, seen, odds, one) for one in weighed[-_REFINED:]), key=_worth)
    if not best:
        return None
    worth, plane, placed = best[-1]
    alike = len(_alike(odds, placed, 0.0))
    others = (other for other, _, pairs in best[:-1] if _elsewhere(pairs, placed))
    if alike < _PLACED_SHARE * known or alike < _PLACED_FEW:
        return None
    # Few facings fit in many places: then the next best one must fit far worse.
    sure = alike >= _PLACED_MIN or worth - max(others, default=0.0) >= _SURE_OF_FEW
    return plane if sure else None


def _elsewhere(pairs: Ints, others: Ints) -> bool:
    """Whether two maps put most facings at different places."""
    both = int(np.count_nonzero((pairs == others) & (pairs >= 0)))
    return both < 0.5 * int(np.count_nonzero(others >= 0))


def _worth(one: _Weighed) -> float:
    return one[0]


def _alike(odds: Reals, pairs: Ints, least: float) -> Ints:
    """Numbers of the positions whose facing looks like their product."""
    held = np.flatnonzero(pairs >= 0)
    out: Ints = held[odds[held, pairs[held]] > least]
    return out


def _fitted(
    planned: Planned, seen: Seen, odds: Reals, pairs: Ints, *, near: PlaneMap | None = None
) -> PlaneMap | None:
    """The map that the pairs which look alike agree on; `near` is known to be almost it."""
    alike = _alike(odds, pairs, 0.0)
    mine, theirs = planned.boxes[alike], seen.boxes[pairs[alike]]
    return map_from_pairs(mine, theirs, uncut=seen.uncut[pairs[alike]], near=near)


def _skew(planned: Planned, plane: PlaneMap) -> float:
    """By how many radians uprights are no longer square to boards in the middle of the frame."""
    middle = centres(planned.boxes).mean(axis=0)
    step = 0.01 * max(float(np.ptp(planned.boxes[:, [0, 2]])), 1e-6)
    at, right, down = mapped(middle + step * np.array([[0, 0], [1, 0], [0, 1]]), plane)
    across, along = right - at, down - at
    return float(abs(np.arctan2(across[1], across[0]) - np.arctan2(-along[0], along[1])))


def _weighed(planned: Planned, seen: Seen, odds: Reals, plane: PlaneMap) -> _Weighed:
    """What a map is worth: the log odds of all that it pairs, less what its skew costs."""
    places = mapped_boxes(planned.boxes, plane)
    pairs = match_by_place(places, planned.rows, seen, odds, WIDE)
    cost = min((_skew(planned, plane) / _SKEW_USUAL) ** 2 / 2, _SKEW_COST_MOST)
    # Leaflets and tags told as facings say nothing, wherever they are.
    high, lowest = sizes(seen.boxes)[:, 1], np.percentile(sizes(places)[:, 1], 10)
    other = _beside(planned, seen, plane) | (high < _LOW * lowest)
    return worth_of(places, seen, odds, pairs, other=other) - cost, plane, pairs


def _beside(planned: Planned, seen: Seen, plane: PlaneMap) -> npt.NDArray[np.bool_]:
    """(m,) facings that this map puts to the left or right of all that is planned."""
    back: PlaneMap = np.linalg.pinv(plane).astype(np.float64)
    x = mapped(centres(seen.boxes), back)[:, 0]
    left, right = planned.boxes[:, 0].min(), planned.boxes[:, 2].max()
    out: npt.NDArray[np.bool_] = ~((x >= left) & (x <= right))
    return out


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
    alike = _alike(odds, pairs, 0.0)
    for row in np.unique(planned.rows[alike]):
        mine = alike[planned.rows[alike] == row]
        if len(mine) < _ROW_PAIRS_MIN:
            continue
        yield from _maps_of_shifts(planned, seen, mine, pairs[mine], most=2)


def _maps_of_votes(planned: Planned, seen: Seen, odds: Reals) -> Iterator[PlaneMap]:
    """Where most facings agree how far the view lies off, each voting for all its places."""
    i, j = np.nonzero(odds >= SURE)
    if len(np.unique(j)) >= _ROW_PAIRS_MIN:
        yield from _maps_of_shifts(planned, seen, i, j, most=_VOTED)


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
    agree: npt.NDArray[np.bool_] = np.all(
        np.abs(off[tried][:, None] - off[None]) <= near[None], axis=2
    )
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
