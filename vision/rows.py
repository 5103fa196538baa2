"""Group facings into shelf rows. Pure: sees boxes, no pixels.

A shelf photo is tilted and in perspective: its boards are straight lines that lean by an amount
that changes with their height. So the lean is fitted first from all pairs of neighbours, bottoms
are compared after it is taken out, and only then facings are linked, left to right, into chains.
Chains on one line are one row; a chain that stands on the tops of another one is its second layer.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from vision.observation import Row

Floats = NDArray[np.float64]
Indexes = NDArray[np.intp]

# All are shares of the height (or width) of the facings compared. They were chosen while looking at
# the very photos whose rows are labelled: the recall in docs/proof.md flatters for that reason.
LINK_RISE_MAX: Final = 0.16
"""Neighbours stand on one line when their bottoms differ by less, of the lower one's height."""
LINK_SPACE_MAX: Final = 1.6
"""Neighbours have at most this many widths of the wider one between them."""
JOIN_RISE_MAX: Final = 0.2
"""Two chains are one row when their lines differ by less where they meet."""
JOIN_SPACE_MAX: Final = 6.0
"""Two chains are one row only with at most so many typical widths between them."""
STAND_RISE_MAX: Final = 0.15
"""A facing stands on another one's top when its bottom is no higher above: of facings on boards 2
in 100 are (there is the board between), of those in upper layers 75."""
EDGE_SHARE: Final = 0.15
CROSSED_SHARE_MAX: Final = 0.5
"""A chain is no row when so much of its length runs through packs, off their edges, of a larger."""
NEAR_LINE_MAX: Final = 0.25
"""A facing may reach this far below the line on which it stands."""
LOOSE_DROP_MAX: Final = 1.5
"""A facing whose bottom is no more above a line, of the taller height, stands on that shelf."""
REACH_RISE_MAX: Final = 0.2
"""A half-seen facing stands on a row's line when its foot is no farther from it."""
REACH_HEIGHT: Final = (0.5, 2.0)
"""A half-seen facing of so many row heights may stand at the end of a row."""
LEAN_TRUST: Final = 0.5
"""The lean of the whole photo counts in a row's line as much as so many facings at its ends."""
ROW_FACINGS_MIN: Final = 2
LEAN_MAX: Final = 0.5
"""Boards of photos taken by hand lean less at the middle (27 degrees)."""
LEANS: Final = np.linspace(-LEAN_MAX, LEAN_MAX, 41)
"""Leans tried at the middle of the photo."""
CHANGE_SHARE: Final = 2.4
"""The change of the lean from the photo's top to its foot is tried up to so many of these."""


@dataclass(frozen=True, slots=True)
class Lean:
    """How boards lean: a board at height y (at the middle) rises by `at(y)` px for each px in x."""

    middle_x: float
    middle_y: float
    base: float
    change: float
    """Lean gained for each pixel further down: perspective."""

    def straight(self, x: Floats, y: Floats) -> Floats:
        """The height at the middle of the picture of the board that passes through (x, y)."""
        along = x - self.middle_x
        down = (y - self.middle_y - self.base * along) / (1 + self.change * along)
        return down + self.middle_y

    def at(self, y: float) -> float:
        """The lean of the board that crosses the middle of the picture at y."""
        return self.base + self.change * (y - self.middle_y)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of one photo and which facing is on which."""

    rows: tuple[Row, ...]
    """Index 0 is the lowest."""
    row_of: NDArray[np.int64]
    """(n,) index into `rows` for each facing given; -1: on none."""
    lean: Lean


@dataclass(slots=True, eq=False)
class _Chain:
    """Facings on one line, left to right, and the line in straightened heights."""

    members: Indexes
    height: float  # typical height of a facing
    width: float
    left: float
    right: float
    level: float
    """Straightened height of the line at its middle."""
    tilt: float
    """What lean is left after straightening."""

    def level_at(self, x: float) -> float:
        return self.level + self.tilt * (x - (self.left + self.right) / 2)


def find_rows(boxes_px: NDArray[np.floating], width_px: int, height_px: int) -> Rows:
    """The shelf rows of the facings of one photo.

    Args:
        boxes_px: (n, 4) x1, y1, x2, y2 in the photo's pixels.
        width_px, height_px: of the photo.
    Returns:
        Rows from the lowest up; none without facings. A line spans its row's facings.
    """
    boxes = np.asarray(boxes_px, np.float64).reshape(-1, 4)
    lean = _fit_lean(boxes, width_px, height_px)
    if not len(boxes):
        return Rows((), np.zeros(0, np.int64), lean)
    below = _standing_on(boxes)
    chains = _join(_link(np.flatnonzero(below < 0), boxes, lean), boxes, lean)
    chains = [chain for chain in chains if len(chain.members) >= ROW_FACINGS_MIN]
    lines = _without_crossed(chains, boxes, lean)
    lines.sort(key=lambda chain: -chain.level_at(lean.middle_x))
    row_of = np.full(len(boxes), -1, np.int64)
    for place, chain in enumerate(lines):
        row_of[chain.members] = place
    _place_loose(row_of, boxes, lean, lines, below)
    rows = tuple(
        Row(place, _line(chain, boxes[row_of == place], lean), chain.height)
        for place, chain in enumerate(lines)
    )
    return Rows(rows, row_of, lean)


def reaching(
    rows: Rows, boxes_px: NDArray[np.floating], half_seen_px: NDArray[np.floating]
) -> tuple[Row, ...]:
    """The same rows, their lines continued along what was seen too weakly to be counted.

    A board does not end where the detector grows unsure. Half-seen facings beside an end of a row,
    on its line and of its height, take it along, but never to where another row runs already. No
    row begins with them.

    Args:
        rows: of the facings that count.
        boxes_px: (n, 4) these facings.
        half_seen_px: (m, 4) weak answers; facings that count may be among them.
    """
    weak = np.asarray(half_seen_px, np.float64).reshape(-1, 4)
    return tuple(
        _continued(row, rows, np.asarray(boxes_px, np.float64)[rows.row_of == row.index], weak)
        for row in rows.rows
    )


def _continued(row: Row, rows: Rows, own: Floats, weak: Floats) -> Row:
    tall, middle = weak[:, 3] - weak[:, 1], (weak[:, 0] + weak[:, 2]) / 2
    low, high = (share * row.height_px for share in REACH_HEIGHT)
    near = abs(_y_at(row, middle) - weak[:, 3]) < REACH_RISE_MAX * np.minimum(tall, row.height_px)
    stands = near & (tall > low) & (tall < high)
    for other in rows.rows:
        if other is not row:
            x1, _, x2, _ = other.line_xyxy_px
            apart = abs(_y_at(other, middle) - _y_at(row, middle))
            lower = min(row.height_px, other.height_px)
            stands &= (middle < x1) | (middle > x2) | (apart >= 0.5 * lower)
    space = LINK_SPACE_MAX * float(np.median(own[:, 2] - own[:, 0]))
    left, _, right, _ = row.line_xyxy_px
    along = weak[stands]
    for box in along[np.argsort(along[:, 0], kind="stable")]:
        if box[0] > left and box[0] - right < space:
            right = max(right, float(box[2]))
    for box in along[np.argsort(-along[:, 2], kind="stable")]:
        if box[2] < right and left - box[2] < space:
            left = min(left, float(box[0]))
    ends = [float(y) for y in _y_at(row, np.array([left, right]))]
    return replace(row, line_xyxy_px=(left, ends[0], right, ends[1]))


def _y_at(row: Row, x: Floats) -> Floats:
    x1, y1, x2, y2 = row.line_xyxy_px
    return y1 + (y2 - y1) * (x - x1) / max(x2 - x1, 1e-6)


def _fit_lean(boxes: Floats, width_px: int, height_px: int) -> Lean:
    """The lean on which most neighbours stand side by side; level for too few of them."""
    middle_x, middle_y = width_px / 2, height_px / 2
    level = Lean(middle_x, middle_y, 0.0, 0.0)
    pairs = _pairs(boxes)
    if len(pairs) < 4:
        return level
    along, rise, low, y = (np.asarray(column, np.float64) for column in pairs.T)
    down = (y - middle_y) / height_px  # -0.5 at the top of the photo, 0.5 at its foot
    base, change = _most_agreed(along, rise, low, down)
    for reach in (0.25, 0.18, 0.15, 0.15):
        off = (rise - (base + change * down) * along) / (reach * low)
        weight = np.where(abs(off) < 1, (1 - off**2) ** 2, 0) / low
        columns = np.stack([along, along * down], axis=1)
        normal = columns.T @ (weight[:, None] * columns)
        # A little certainty that the change is none keeps one single row from inventing it.
        normal[1, 1] += 0.002 * normal[0, 0]
        normal += np.eye(2) * 1e-9
        base, change = np.linalg.solve(normal, columns.T @ (weight * rise)).tolist()
    change /= height_px
    # The boards' vanishing point must lie outside the photo, or they would cross in it.
    if abs(change) * middle_x > 0.8 or abs(base) > LEAN_MAX:
        return level
    return Lean(middle_x, middle_y, base, change)


def _most_agreed(along: Floats, rise: Floats, low: Floats, down: Floats) -> tuple[float, float]:
    """The lean at the middle and its change from top to foot that most pairs agree with.

    Stacked goods pair with the wrong layer too, and a photo from the side leans from +0.2 at the
    top to -0.4 at the foot: a descent from the median would end in a wrong valley. So all leans
    are tried.
    """
    # One lean at the middle after another, in place: all at once would not fit into the cache.
    changed = (LEANS * CHANGE_SHARE)[:, None] * (down * along)[None]
    off = np.empty_like(changed)
    agreed = np.empty((len(LEANS), len(LEANS)))
    for place, lean in enumerate(LEANS):
        np.add(changed, lean * along, out=off)
        off -= rise
        off /= 0.08 * low
        np.square(off, out=off)
        off *= -0.5
        agreed[place] = np.exp(off, out=off).sum(axis=1)
    # Among equals the level one: a brick pattern agrees with its diagonals almost as well.
    agreed *= 1 - 0.3 * np.abs(LEANS)[:, None] - 0.1 * np.abs(LEANS * CHANGE_SHARE)[None]
    best, most = divmod(int(agreed.argmax()), len(LEANS))
    return float(LEANS[best]), float((LEANS * CHANGE_SHARE)[most])


def _pairs(boxes: Floats) -> Floats:
    """(k, 4) along, rise, lower height and y of facings that may stand side by side."""
    wide, tall = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    space = boxes[None, :, 0] - boxes[:, None, 2]
    near = np.maximum(wide[:, None], wide[None])
    low = np.minimum(tall[:, None], tall[None])
    rise = boxes[None, :, 3] - boxes[:, None, 3]
    rise_top = boxes[None, :, 1] - boxes[:, None, 1]
    first, second = np.nonzero(
        (space > -0.4 * near)
        & (space < 1.2 * near)
        & (abs(rise) < 0.75 * low)
        & (abs(rise_top - rise) < 0.5 * low)
    )
    x = (boxes[:, 0] + boxes[:, 2]) / 2
    forward = x[second] > x[first]
    first, second = first[forward], second[forward]
    return np.stack(
        [
            x[second] - x[first],
            rise[first, second],
            low[first, second],
            (boxes[first, 3] + boxes[second, 3]) / 2,
        ],
        axis=1,
    )


def _link(which: Indexes, all_boxes: Floats, lean: Lean) -> list[_Chain]:
    boxes = all_boxes[which]
    x1, x2 = boxes[:, 0], boxes[:, 2]
    tall, wide = boxes[:, 3] - boxes[:, 1], x2 - x1
    level = lean.straight((x1 + x2) / 2, boxes[:, 3])
    low = np.minimum(tall[:, None], tall[None])
    near = np.maximum(wide[:, None], wide[None])
    narrow = np.minimum(wide[:, None], wide[None])
    space = x1[None] - x2[:, None]  # from the right edge of the first to the left of the second
    linked = (
        (space > -0.6 * narrow)
        & (space < LINK_SPACE_MAX * near)
        & ((x1 + x2)[None] > (x1 + x2)[:, None])
        & (abs(level[None] - level[:, None]) < LINK_RISE_MAX * low)
    )
    first, second = np.nonzero(linked)
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(len(boxes),) * 2)
    count, label = connected_components(graph, directed=False)
    return [_chain(which[label == number], all_boxes, lean) for number in range(count)]


def _chain(members: Indexes, boxes: Floats, lean: Lean) -> _Chain:
    own = boxes[members]
    own = own[np.argsort(own[:, 0], kind="stable")]
    x = (own[:, 0] + own[:, 2]) / 2
    level = lean.straight(x, own[:, 3])
    tall = float(np.median(own[:, 3] - own[:, 1]))
    left, right = float(own[:, 0].min()), float(own[:, 2].max())
    along = x - (left + right) / 2
    height, tilt = float(np.median(level)), 0.0
    trust = LEAN_TRUST * ((right - left) / 2) ** 2
    for _ in range(6):
        off = (level - height - tilt * along) / (0.15 * tall)
        weight = 1 / (1 + off**2) ** 2
        height = float((weight * (level - tilt * along)).sum() / weight.sum())
        tilt = float((weight * along * (level - height)).sum())
        tilt /= float((weight * along**2).sum()) + trust + 1e-9
    return _Chain(members, tall, float(np.median(own[:, 2] - own[:, 0])), left, right, height, tilt)


def _join(chains: list[_Chain], boxes: Floats, lean: Lean) -> list[_Chain]:
    """Join chains that continue each other's line, the nearest first."""
    chains = sorted(chains, key=lambda chain: chain.left)
    while True:
        best: tuple[float, int, int] | None = None
        for a, first in enumerate(chains):
            for b, second in enumerate(chains):
                cost = _join_cost(first, second) if a != b and first.left <= second.left else None
                if cost is not None and (best is None or cost < best[0]):
                    best = (cost, a, b)
        if best is None:
            return chains
        _, a, b = best
        members = np.concatenate([chains[a].members, chains[b].members])
        joined = _chain(members, boxes, lean)
        chains = [chain for place, chain in enumerate(chains) if place not in (a, b)]
        chains = sorted([*chains, joined], key=lambda chain: chain.left)


def _join_cost(first: _Chain, second: _Chain) -> float | None:
    """How far two chains are from being one; None when they are not one row."""
    shared = min(first.right, second.right) - second.left
    if shared > 0.3 * min(first.right - first.left, second.right - second.left):
        return None
    space = max(0.0, -shared) / max(first.width, second.width)
    if space > JOIN_SPACE_MAX:
        return None
    meet = (second.left + min(first.right, second.right)) / 2
    rise = abs(first.level_at(meet) - second.level_at(meet)) / min(first.height, second.height)
    if rise > JOIN_RISE_MAX * (1.5 if space < 1 else 1):
        return None
    return rise + 0.02 * space


def _standing_on(boxes: Floats) -> Indexes:
    """(n,) for each facing the one on whose top it stands, -1 for none."""
    tall, wide = boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]
    shared = np.minimum(boxes[:, None, 2], boxes[None, :, 2])
    shared = shared - np.maximum(boxes[:, None, 0], boxes[None, :, 0])
    drop = boxes[None, :, 1] - boxes[:, None, 3]  # [upper, lower], from bottom down to top
    low = np.minimum(tall[:, None], tall[None])
    under = (
        (shared > 0.5 * np.minimum(wide[:, None], wide[None]))
        & (drop > -0.4 * low)
        & (boxes[None, :, 3] > boxes[:, None, 3] + 0.3 * low)
    )
    np.fill_diagonal(under, False)
    if not under.any():
        return np.full(len(boxes), -1)
    nearest = np.where(under, drop, np.inf)
    below = nearest.argmin(axis=1)
    each = np.arange(len(boxes))
    stands = nearest[each, below] < STAND_RISE_MAX * low[each, below]
    return np.where(stands, below, -1)


def _without_crossed(chains: list[_Chain], boxes: Floats, lean: Lean) -> list[_Chain]:
    """Chains that may stand on a board: none can run through the packs of a larger chain."""
    x = (boxes[:, 0] + boxes[:, 2]) / 2
    top, foot = lean.straight(x, boxes[:, 1]), lean.straight(x, boxes[:, 3])
    edge = EDGE_SHARE * (foot - top)
    kept: list[_Chain] = []
    for chain in sorted(chains, key=lambda chain: -len(chain.members)):
        crossed = 0.0
        for other in kept:
            own = other.members
            line = chain.level + chain.tilt * (x[own] - (chain.left + chain.right) / 2)
            through = (line > top[own] + edge[own]) & (line < foot[own] - edge[own])
            left = np.maximum(boxes[own, 0], chain.left)
            right = np.minimum(boxes[own, 2], chain.right)
            crossed += float(((right - left).clip(0) * through).sum())
        if crossed < CROSSED_SHARE_MAX * (chain.right - chain.left):
            kept.append(chain)
    return kept


def _place_loose(
    row_of: NDArray[np.int64], boxes: Floats, lean: Lean, lines: list[_Chain], below: Indexes
) -> None:
    """Give facings without a row the one they are stacked on, or the next line below them."""
    x = (boxes[:, 0] + boxes[:, 2]) / 2
    level = lean.straight(x, boxes[:, 3])
    for number in np.argsort(-level):  # from the foot up, so that towers are climbed
        if row_of[number] >= 0:
            continue
        if below[number] >= 0 and row_of[below[number]] >= 0:
            row_of[number] = row_of[below[number]]
            continue
        tall = boxes[number, 3] - boxes[number, 1]
        best = LOOSE_DROP_MAX
        for place, chain in enumerate(lines):
            reach = LINK_SPACE_MAX * chain.width
            if not chain.left - reach < x[number] < chain.right + reach:
                continue
            drop = (chain.level_at(x[number]) - level[number]) / max(tall, chain.height)
            if -NEAR_LINE_MAX < drop < best:
                best, row_of[number] = drop, place


def _line(chain: _Chain, boxes: Floats, lean: Lean) -> tuple[float, float, float, float]:
    """The row's line in the photo, from the left end of its facings to the right one."""
    left, right = float(boxes[:, 0].min()), float(boxes[:, 2].max())

    def y(x: float) -> float:
        level = chain.level_at(x)
        return level + (x - lean.middle_x) * lean.at(level)

    return left, y(left), right, y(right)
