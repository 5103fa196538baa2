"""Hear all witnesses of a claim that something differs. Pure: asks for evidence, decides nothing.

A place looks empty or wrong for other reasons, too: something stands before it, it was never at
the shelf's front, the map is off there, the photo's edge cuts it. Each witness knows one of these.
"""

from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from planograms.confidence import Witnesses
from planograms.model import Planogram
from vision.geometry import Boxes, areas, boxes_of, centres, iou, overlaps, sizes

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

CLAIM_PRIOR: Final = 1e-6
SURELY_RIGHT: Final = 0.9
"""Places from this chance of being right are surely right, as far as others lean on them."""
_NEARBY: Final = 6
_AROUND: Final = 8
_USUAL_ASKED: Final = 14
"""Surely right places that are asked what is usual on this photo: dark ones correlate less."""
_USUAL_MIN: Final = 4
_WEAK_OVERLAP: Final = 0.4


class Evidence(Protocol):
    """What can be asked about the pixels once it is known where to look; nan where unknown."""

    def edge_shares(self, positions: Ints, places_px: Boxes) -> Reals:
        """How much is to be seen at each place of the photo, as a share of its reference."""
        ...

    def at_places(self, positions: Ints, places_px: Boxes) -> Reals:
        """How unlike its reference each place of the photo is, at best, within a small shift."""
        ...

    def again(self, positions: Ints, places_px: Boxes, taken_px: Boxes) -> Reals:
        """How well the reference's picture of each place correlates with the photo near it."""
        ...

    def boards(self, positions: Ints, places_px: Boxes) -> Reals:
        """The same for the strip below each place, the edge of its shelf."""
        ...

    def same(self, positions: Ints, places_px: Boxes) -> tuple[Reals, Reals]:
        """Log odds that each place shows the planned product, and the likest of the others."""
        ...

    def before(self, facings: Ints) -> Reals:
        """How unlike seen facings are to the same place of the reference photo."""
        ...

    @property
    def of_photo(self) -> bool:
        """Whether the reference is a photo, not a drawing of the products' pictures."""
        ...


class NoPixels:
    """Nothing can be asked: only boxes are known."""

    of_photo = False

    def edge_shares(self, positions: Ints, places_px: Boxes) -> Reals:  # noqa: ARG002
        """Nothing is known of any place."""
        return np.full(len(positions), np.nan)

    def at_places(self, positions: Ints, places_px: Boxes) -> Reals:  # noqa: ARG002
        """Nothing is known of any place."""
        return np.full(len(positions), np.nan)

    def again(self, positions: Ints, places_px: Boxes, taken_px: Boxes) -> Reals:  # noqa: ARG002
        """Nothing is known of any place."""
        return np.full(len(positions), np.nan)

    def boards(self, positions: Ints, places_px: Boxes) -> Reals:  # noqa: ARG002
        """Nothing is known of any place."""
        return np.full(len(positions), np.nan)

    def same(self, positions: Ints, places_px: Boxes) -> tuple[Reals, Reals]:  # noqa: ARG002
        """Nothing is known of any place."""
        return np.full(len(positions), np.nan), np.full(len(positions), np.nan)

    def before(self, facings: Ints) -> Reals:
        """Nothing is known of any facing."""
        return np.full(len(facings), np.nan)


@dataclass(frozen=True)
class Facings:
    """The seen side: m facings of a photo of `width` by `height` pixels."""

    boxes_px: Boxes
    scores: Reals
    width: float
    height: float
    weak_px: Boxes = field(default_factory=lambda: np.zeros((0, 4)))
    """(w, 4) half-seen facings, which count nowhere."""
    weak_scores: Reals = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True)
class Claims:
    """What is claimed of a photo; n places in the planogram's order."""

    asked: Ints
    """(k,) numbers of the places of which something is claimed."""
    wrong: Reals
    """(n,) chance of being wrong by picture and edges alone; 0 where not in view."""
    edges: Reals
    """(n,) how much is to be seen, as a share of the reference; nan where unknown."""
    spots: Boxes
    """(n, 4) where to look: what stands there, or the place."""
    where: Boxes
    """(n, 4) the place by the map."""
    standing: Ints
    """(n,) the facing that stands there; -1 where none does."""


def witnesses_of(
    planogram: Planogram, facings: Facings, evidence: Evidence, *, claims: Claims
) -> Witnesses | None:
    """What speaks for and against each claim; None where there are no pixels to ask."""
    asked, spots = claims.asked, claims.spots[claims.asked]
    paired = facings.boxes_px[claims.standing[claims.standing >= 0]]
    again = _found_again(asked, spots, paired, evidence)
    board = evidence.boards(asked, claims.where[asked])
    if np.isnan(again).all() and np.isnan(board).all():
        return None
    sure = (claims.standing >= 0) & (claims.wrong <= 1 - SURELY_RIGHT)
    usual = _spread_out(np.flatnonzero(sure), _USUAL_ASKED)
    usual_again = _usual(_found_again(usual, claims.spots[usual], paired, evidence))
    usual_board = _usual(evidence.boards(usual, claims.where[usual]))
    bare = claims.standing[asked] < 0
    same, rival = evidence.same(asked, spots)
    return Witnesses(
        before=_log_odds(claims.wrong[asked]),
        again=again - usual_again,
        board=board - usual_board,
        edges=claims.edges[asked],
        anchors=_anchors(planogram, sure, asked),
        around=sure_around(claims.where, sure, claims.where[asked]),
        weak=_weak(spots, facings),
        covered=_covered(spots, facings.boxes_px, bare),
        margin=_margin(claims.where[asked], facings),
        hidden=_hidden_in_plan(planogram, asked),
        same=same,
        rival=rival - same,
    )


def _spread_out(numbers: Ints, most: int) -> Ints:
    """At most so many of them, evenly spread."""
    if len(numbers) <= most:
        return numbers
    out: Ints = numbers[np.linspace(0, len(numbers) - 1, most).round().astype(np.int64)]
    return out


def _usual(values: Reals) -> float:
    """The median of what is known; 0.75, of train photos, where that is too little."""
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) >= _USUAL_MIN else 0.75


def _log_odds(chances: Reals) -> Reals:
    clipped = np.clip(chances, CLAIM_PRIOR, 1 - CLAIM_PRIOR)
    out: Reals = np.log(clipped / (1 - clipped))
    return out


def _found_again(asked: Ints, spots: Boxes, paired: Boxes, evidence: Evidence) -> Reals:
    """Facings that stand for other places are not looked at; one that stands here is."""
    shared = overlaps(spots, paired) / np.maximum(areas(spots)[:, None], 1e-9)
    out = np.full(len(asked), np.nan)
    for k in range(len(asked)):
        others = paired[shared[k] < 0.5]
        out[k] = evidence.again(asked[k : k + 1], spots[k : k + 1], others)[0]
    return out


def _anchors(planogram: Planogram, sure: npt.NDArray[np.bool_], asked: Ints) -> Reals:
    """Of the nearest places in the row, the share that is surely right; nan in a row of one."""
    order = planogram.in_order
    x = np.array([(p.box_xyxy[0] + p.box_xyxy[2]) / 2 for p in order])
    rows = np.array([p.row for p in order])
    out = np.full(len(asked), np.nan)
    for k, i in enumerate(asked.tolist()):
        same = np.flatnonzero((rows == rows[i]) & (np.arange(len(rows)) != i))
        if len(same):
            near = same[np.argsort(np.abs(x[same] - x[i]), kind="stable")[:_NEARBY]]
            out[k] = sure[near].mean()
    return out


def sure_around(where: Boxes, sure: npt.NDArray[np.bool_], boxes: Boxes) -> Reals:
    """Of the places nearest to each box on any shelf, the share that is surely right: (k,).

    The place that is the box itself is left out; nan where no other place is.
    """
    middle = centres(where)
    out = np.full(len(boxes), np.nan)
    for k, (own, size) in enumerate(
        zip(centres(boxes), np.maximum(sizes(boxes), 1e-6), strict=True)
    ):
        far = (((middle - own) / size) ** 2).sum(axis=1)
        near = np.argsort(far, kind="stable")
        near = near[far[near] > 1e-9][:_AROUND]
        if len(near):
            out[k] = sure[near].mean()
    return out


def _weak(spots: Boxes, facings: Facings) -> Reals:
    if not len(facings.weak_px):
        return np.zeros(len(spots))
    near = iou(spots, facings.weak_px) >= _WEAK_OVERLAP
    out: Reals = np.where(near, facings.weak_scores[None], 0.0).max(axis=1)
    return out


def _covered(spots: Boxes, boxes_px: Boxes, bare: npt.NDArray[np.bool_]) -> Reals:
    """The share of each place under facings; the facing that stands there is left out."""
    if not len(boxes_px):
        return np.zeros(len(spots))
    shared = overlaps(spots, boxes_px) / np.maximum(areas(spots)[:, None], 1e-9)
    own = iou(spots, boxes_px) > 0.95
    shared[own & ~bare[:, None]] = 0.0
    out: Reals = np.minimum(shared.sum(axis=1), 1.0)
    return out


def _margin(spots: Boxes, facings: Facings) -> Reals:
    wide, high = np.maximum(spots[:, 2] - spots[:, 0], 1), np.maximum(spots[:, 3] - spots[:, 1], 1)
    far = np.stack(
        [spots[:, 0] / wide, (facings.width - spots[:, 2]) / wide, spots[:, 1] / high,
         (facings.height - spots[:, 3]) / high]
    ).min(axis=0)  # fmt: skip
    out: Reals = np.clip(far, -0.2, 1.0)
    return out


def _hidden_in_plan(planogram: Planogram, asked: Ints) -> Reals:
    """The share of each planned place under places whose foot is lower: they stand before it."""
    boxes = boxes_of([each.box_xyxy for each in planogram.in_order])
    mine = boxes[asked]
    before = boxes[None, :, 3] > mine[:, None, 3] + 0.1 * (mine[:, None, 3] - mine[:, None, 1])
    shared = np.where(before, overlaps(mine, boxes), 0.0)
    out: Reals = np.minimum(shared.sum(axis=1) / np.maximum(areas(mine), 1e-9), 1.0)
    return out
