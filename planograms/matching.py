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

from planograms.alignment import align, align_many
from planograms.placing import NO_ROW, Ints, Planned, Reals, Seen, match_by_plane, span
from planograms.whereabouts import map_by_facings
from vision.appearance import likeness_odds
from vision.geometry import Boxes, PlaneMap, centres, sizes

_APPEARANCE_MOST: Final = 4.0
"""No single picture weighs more than this, in log odds: a label may be turned or glare."""
_OTHER_LAYER: Final = 2.0
"""Log odds against a facing in the second layer being the one planned for the first."""
_ROW_SCORE_MIN: Final = 3.0
"""A shelf and a row whose best alignment stays below this have nothing in common."""
_ROW_SKIP: Final = -2.0
"""A shelf between two that are seen is mostly seen as well."""

Registered = Literal["pixels", "facings", "no"]


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
        pairs, places = match_by_plane(planned, seen, odds, plane, by_facings=False)
        return Match(pairs, plane, places, "pixels")
    pairs = _match_by_rows(planned, seen, odds)
    found = map_by_facings(planned, seen, odds, pairs)
    if found is None:
        return Match(pairs, None, None, "no")
    # What the order of rows got wrong, places put right.
    pairs, where = match_by_plane(planned, seen, odds, found, by_facings=True)
    return Match(pairs, found, where, "facings")


def _appearance_odds(distances: Reals) -> Reals:
    out: Reals = likeness_odds(distances).astype(np.float64)
    return np.clip(out, -_APPEARANCE_MOST, _APPEARANCE_MOST, out=out)


def _match_by_rows(planned: Planned, seen: Seen, odds: Reals) -> Ints:
    """Pairs from the order of rows and of facings alone."""
    n, m = odds.shape
    facing_of = np.full(n, -1, dtype=np.int64)
    shelves, layers = _in_columns(planned.boxes, planned.rows)
    rows, seen_layers = _in_columns(seen.boxes, seen.rows)
    if not n or not m or not rows:
        return facing_of
    gains = _size_odds(planned, seen)
    gains += odds
    if layers.any() or seen_layers.any():
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
        beside = span(x, x) < 0.5 * np.minimum(wide[:, None], wide[None])
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
    out: Reals = first[:, None] - second[None]
    out /= 0.25
    out *= out
    out /= -2
    out += 0.5
    return np.maximum(out, -2.0, out=out)
