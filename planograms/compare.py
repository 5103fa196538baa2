"""What differs between planogram and photo, once facings are matched. Pure: asks for evidence.

The detector is one witness. A facing that it did not see, or saw one too many of, is looked at
again: does the place still look as on the reference photo? Only what both agree on is claimed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from planograms.confidence import CURVES, Witnesses
from planograms.findings import Box, Finding, PositionState, Status
from planograms.geometry import (
    Boxes,
    areas,
    boxes_of,
    centres,
    inverse,
    iou,
    mapped_boxes,
    overlaps,
    visible_share,
)
from planograms.matching import Match
from planograms.model import Planogram
from storepulse.checklists import FindingKind
from vision.appearance import likeness

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

RIGHT_BEFOREHAND: Final = 0.95
"""How often a position at which a facing stands holds the planned product, before looking."""
THERE_BEFOREHAND: Final = 0.6
"""The same for a position at which no facing was detected: the detector misses one in ten, shelves
lack about one in fifteen."""
THERE_WITHOUT_PICTURE: Final = 0.2
"""The same where there is no reference picture to ask, so that the detector is the only witness. A
choice, not a measurement: planograms made from photos always have the picture."""
UNSURE_FROM: Final = 0.25
UNSURE_TO: Final = 0.5
"""Between these probabilities of being right nothing is claimed."""
PICTURE_ODDS_MOST: Final = 4.5
"""No single picture is trusted further than this, in log odds (about 1 in 90)."""
RIGHT_MOST: Final = 0.995
WRONG_LEAST: Final = 0.01
"""Whatever the witnesses say: one claim in a hundred, and one facing in two hundred that looks
right, may rest on what none of them can see."""
KNOWN_FROM: Final = 0.7
"""Likeness from which a facing counts as recognised."""
RIVAL_MARGIN: Final = 0.08
RIVAL_STEP: Final = 0.03
"""Products of one brand are alike in all but a stripe: what tells them apart is which is nearer. A
rival that is nearer by more than the margin takes away one in log odds for each step."""
EDGES_KEPT: Final = 0.65
EDGES_STEP: Final = 0.03
EDGES_ODDS_MOST: Final = 6.0
"""A place that lost its edges lost its product, whatever its colours. Of 2,786 untouched places of
20 train photos in a second exposure 0.3 % had less than 0.68 of their reference's edges (the other
exposure's sharpness taken out); of 60 erased ones 59 had less than 0.58."""
TEXTURED_FROM: Final = 0.65
TEXTURED_TO: Final = 0.9
TEXTURED_FACTOR: Final = 0.5
"""A place where no facing was detected but (nearly) as much is to be seen as before may hold
another product or something in front of the shelf: the claim that it is empty is worth half, which
leaves it unsure."""
VISIBLE_SHARE_MIN: Final = 0.85
"""A place that leaves the photo further looks like something else; it counts as not in view."""
STANDS_AT_OVERLAP: Final = 0.4
EXTRA_SCORE_MIN: Final = 0.4
EXTRA_CONFIDENCE_MIN: Final = 0.7
"""Higher than for planned places: from another viewpoint goods behind the fronts come into view,
and no position stands for them. On two photos of one unchanged bay, taken by hand from different
places, the claims between 0.5 and 0.7 were all of goods that the other photo shows as well."""
EXTRA_FREE_SHARE: Final = 0.5


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

    def before(self, facings: Ints) -> Reals:
        """How unlike seen facings are to the same place of the reference photo."""
        ...


class NoPixels:
    """Nothing can be asked: only boxes are known."""

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
class Distances:
    """How unlike facings look: to each position's own picture and to each product's pictures."""

    to_positions: Reals
    """(n, m), positions in order: to the position's own picture or its product's, the nearer."""
    to_products: Reals
    """(k, m), products as the planogram lists them."""


@dataclass(frozen=True)
class Comparison:
    """How positions stand, in order, and what to mend."""

    positions: tuple[PositionState, ...]
    findings: tuple[Finding, ...]


@dataclass
class _Place:
    """What is being found out about one position."""

    box: Box | None = None
    right: float | None = None
    facing: int | None = None
    picture: float | None = None
    """How unlike the facing is to the planned product."""
    against: float = 0.0
    """Log odds that another product of the planogram takes away by being nearer."""
    bare: bool = False
    doubt: float = 1.0
    share: float = float("nan")
    """How much is to be seen there, as a share of the reference."""
    rival: int | None = None


def compare(
    planogram: Planogram,
    facings: Facings,
    distances: Distances,
    match: Match,
    evidence: Evidence,
) -> Comparison:
    """Say how each position stands and what differs.

    Positions outside the view, or of which the photo says nothing, are unobserved.
    """
    places = [_Place() for _ in planogram.in_order]
    _judge_facings(planogram, places, facings, distances, match)
    _look_again(places, match.places, facings, evidence)
    if match.places is not None:
        _weigh_claims(planogram, places, match.places, facings, evidence)
    findings = [
        *_state_findings(planogram, places),
        *_surplus(planogram, facings, distances, match, evidence),
    ]
    states, named = _name_misplaced(planogram, places, findings)
    return Comparison(states, named)


def boxes_in_order(planogram: Planogram) -> Boxes:
    """(n, 4) boxes of the positions, in order."""
    return np.array([position.box_xyxy for position in planogram.in_order], dtype=np.float64)


def _picture_odds(distance: float) -> float:
    """Log odds that a picture shows the planned product, from the picture alone."""
    alike = float(np.clip(likeness(distance), 1e-9, 1 - 1e-9))
    return float(np.clip(np.log(alike / (1 - alike)), -PICTURE_ODDS_MOST, PICTURE_ODDS_MOST))


def _chance(odds: float, beforehand: float) -> float:
    """Probability from log odds of the evidence and what is usual."""
    certain = float(1 / (1 + np.exp(-(odds + np.log(beforehand / (1 - beforehand))))))
    return min(max(certain, WRONG_LEAST), RIGHT_MOST)


def _judge_facings(
    planogram: Planogram,
    places: Sequence[_Place],
    facings: Facings,
    distances: Distances,
    match: Match,
) -> None:
    """Positions at which a facing stands: is it the planned product?"""
    index = {product.id: k for k, product in enumerate(planogram.products)}
    for i, j in enumerate(match.facing_of):
        if j < 0:
            continue
        planned = index[planogram.in_order[i].product]
        mine = distances.to_positions[i, j]
        place = places[i]
        place.facing = int(j)
        place.box = _as_box(facings.boxes_px[j])
        place.picture = float(mine)
        rival = int(distances.to_products[:, j].argmin())
        nearest = float(distances.to_products[rival, j])
        place.against = -max(0.0, mine - nearest - RIVAL_MARGIN) / RIVAL_STEP
        place.right = _chance(_picture_odds(mine) + place.against, RIGHT_BEFOREHAND)
        if rival != planned and place.against < 0 and likeness(nearest) >= KNOWN_FROM:
            place.rival = rival


def _look_again(
    places: Sequence[_Place], where: Boxes | None, facings: Facings, evidence: Evidence
) -> None:
    """Positions in view: how much is to be seen there, and, where in doubt, is it the same?"""
    if where is None:
        return
    in_view = _in_view(where, facings)
    for i in np.flatnonzero(~in_view).tolist():
        # Cut off by the photo's edge, a facing looks like another; only what agrees is taken.
        if (places[i].right or 0.0) < UNSURE_TO:
            places[i].right, places[i].box = None, None
    inside = np.flatnonzero(in_view)
    if not len(inside):
        return
    shares = evidence.edge_shares(inside, where[inside])
    held = np.array([_stands_at(places[i], where[i]) for i in inside.tolist()])
    if held.any():
        # Goods that stand a little off are looked for where they stand.
        own = np.array([places[i].box for i in inside[held].tolist()], dtype=np.float64)
        shares[held] = np.fmax(shares[held], evidence.edge_shares(inside[held], own))
    lost = np.clip((np.nan_to_num(shares, nan=1.0) - EDGES_KEPT) / EDGES_STEP, -EDGES_ODDS_MOST, 0)
    doubtful = (lost < -1) | np.array(
        [(places[i].right or 0.0) < UNSURE_TO for i in inside.tolist()]
    )
    inside, shares, lost = inside[doubtful], shares[doubtful], lost[doubtful]
    if not len(inside):
        return
    for i, share in zip(inside.tolist(), shares, strict=True):
        places[i].share = float(share)
    distances = evidence.at_places(inside, where[inside])
    for i, distance, share, odds in zip(inside.tolist(), distances, shares, lost, strict=True):
        _weigh(places[i], _as_box(where[i]), float(distance), float(share), float(odds))


def _stands_at(place: _Place, where: npt.NDArray[np.float64]) -> bool:
    """Whether the facing paired with a place covers most of it, and not much besides."""
    if place.facing is None or place.box is None:
        return False
    return bool(iou(boxes_of([place.box]), boxes_of([where]))[0, 0] >= STANDS_AT_OVERLAP)


def _weigh(place: _Place, box: Box, distance: float, share: float, lost: float) -> None:
    """Put together what the detector, the picture and the edges say of one place."""
    if place.facing is None:
        place.box, place.bare = box, True
        if np.isnan(distance):
            place.right = THERE_WITHOUT_PICTURE
            return
        place.right = _chance(_picture_odds(distance) + lost, THERE_BEFOREHAND)
        steps = (np.nan_to_num(share) - TEXTURED_FROM) / (TEXTURED_TO - TEXTURED_FROM)
        place.doubt = float(1 - np.clip(steps, 0, 1) * (1 - TEXTURED_FACTOR))
    elif not np.isnan(distance):
        assert place.picture is not None
        if distance < place.picture:
            # Seen at its place rather than in the detector's box, the rival has less to say.
            place.against = min(0.0, place.against + (place.picture - distance) / RIVAL_STEP)
        best = _picture_odds(min(distance, place.picture)) + place.against
        place.right = _chance(best + lost, RIGHT_BEFOREHAND)
        if place.right < UNSURE_TO and lost < -1:
            # The detector drew a box about a bare stretch.
            place.bare, place.rival, place.box = True, None, box
            place.right = _chance(best + lost, THERE_BEFOREHAND)


ASKED_FROM: Final = 0.3
"""Claims surer than this, by picture and edges, are put to all witnesses."""
_SURELY_RIGHT: Final = 0.9
_NEARBY: Final = 6
CLAIM_PRIOR: Final = 1e-6


def _weigh_claims(
    planogram: Planogram,
    places: Sequence[_Place],
    where: Boxes,
    facings: Facings,
    evidence: Evidence,
) -> None:
    """Say of each claim how sure it is, now that all witnesses can be heard."""
    asked = np.array(
        [
            i
            for i, place in enumerate(places)
            if place.right is not None and (1 - place.right) * place.doubt >= ASKED_FROM
        ],
        dtype=np.int64,
    )
    if not len(asked):
        return
    spots = np.array([places[i].box for i in asked.tolist()], dtype=np.float64)
    bare = np.array([places[i].bare for i in asked.tolist()])
    # Where nothing was detected, the map says where to look; else the facing does.
    spots = np.where(bare[:, None], where[asked], spots)
    standing = [place.facing for place in places if place.facing is not None and not place.bare]
    paired = facings.boxes_px[np.array(standing, dtype=np.int64)]
    witnesses = Witnesses(
        before=_log_odds([(1 - (places[i].right or 0)) * places[i].doubt for i in asked.tolist()]),
        again=_found_again(asked, spots, paired, evidence),
        board=evidence.boards(asked, where[asked]),
        edges=np.array([places[i].share for i in asked.tolist()]),
        anchors=_anchors(planogram, places, asked),
        weak=_weak(spots, facings),
        covered=_covered(spots, facings.boxes_px, bare),
        margin=_margin(where[asked], facings),
        hidden=_hidden_in_plan(planogram, asked),
    )
    if np.isnan(witnesses.again).all() and np.isnan(witnesses.board).all():
        return  # there are no pixels to ask
    for claim, mine in (("missing", bare), ("wrong", ~bare)):
        sure = CURVES[claim].confidence(witnesses)  # type: ignore[index]
        for i, confidence in zip(asked[mine].tolist(), sure[mine], strict=True):
            places[i].right, places[i].doubt = 1 - float(confidence), 1.0
    if RECORD is not None:
        RECORD.append((asked, bare, witnesses))


RECORD = None


def _log_odds(chances: Sequence[float]) -> Reals:
    clipped = np.clip(np.array(chances, dtype=np.float64), CLAIM_PRIOR, 1 - CLAIM_PRIOR)
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


def _anchors(planogram: Planogram, places: Sequence[_Place], asked: Ints) -> Reals:
    """Of the nearest places in the row, the share that is surely right; nan in a row of one."""
    order = planogram.in_order
    x = np.array([(p.box_xyxy[0] + p.box_xyxy[2]) / 2 for p in order])
    rows = np.array([p.row for p in order])
    sure = np.array([(place.right or 0.0) >= _SURELY_RIGHT for place in places])
    out = np.full(len(asked), np.nan)
    for k, i in enumerate(asked.tolist()):
        same = np.flatnonzero((rows == rows[i]) & (np.arange(len(rows)) != i))
        if len(same):
            near = same[np.argsort(np.abs(x[same] - x[i]), kind="stable")[:_NEARBY]]
            out[k] = sure[near].mean()
    return out


def _weak(spots: Boxes, facings: Facings) -> Reals:
    if not len(facings.weak_px):
        return np.zeros(len(spots))
    near = iou(spots, facings.weak_px) >= 0.4
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
    boxes = boxes_in_order(planogram)
    mine = boxes[asked]
    before = boxes[None, :, 3] > mine[:, None, 3] + 0.1 * (mine[:, None, 3] - mine[:, None, 1])
    shared = np.where(before, overlaps(mine, boxes), 0.0)
    out: Reals = np.minimum(shared.sum(axis=1) / np.maximum(areas(mine), 1e-9), 1.0)
    return out


def _in_view(where: Boxes, facings: Facings) -> npt.NDArray[np.bool_]:
    seen = visible_share(where, width=facings.width, height=facings.height)
    middle = centres(where)
    out: npt.NDArray[np.bool_] = (
        (seen >= VISIBLE_SHARE_MIN)
        & (middle > 0).all(axis=1)
        & (middle < [facings.width, facings.height]).all(axis=1)
    )
    return out


def _state_findings(planogram: Planogram, places: Sequence[_Place]) -> list[Finding]:
    out = []
    for position, place in zip(planogram.in_order, places, strict=True):
        if place.right is None or place.box is None:
            continue
        confidence = (1 - place.right) * place.doubt
        if place.right >= UNSURE_FROM or confidence < UNSURE_TO:
            continue
        seen = None if place.rival is None else planogram.products[place.rival]
        out.append(
            Finding(
                kind="missing" if place.bare else "wrong_product",
                box_xyxy_px=place.box,
                confidence=round(confidence, 3),
                sku=planogram.product_at(position).sku,
                position=position.id,
                seen=None if seen is None else seen.sku,
            )
        )
    return out


def _surplus(
    planogram: Planogram,
    facings: Facings,
    distances: Distances,
    match: Match,
    evidence: Evidence,
) -> list[Finding]:
    """Facings at no planned position, in the bay, where the reference shows something else."""
    if match.places is None or match.plane is None:
        return []
    boxes = facings.boxes_px
    free = np.setdiff1d(np.arange(len(boxes)), match.facing_of[match.facing_of >= 0])
    if not len(free):
        return []
    covered = overlaps(boxes[free], match.places).max(axis=1) / np.maximum(areas(boxes[free]), 1e-9)
    frame = mapped_boxes(boxes[free], inverse(match.plane))
    in_frame = visible_share(frame, width=planogram.width, height=planogram.height)
    asked = free[
        (in_frame >= VISIBLE_SHARE_MIN)
        & (covered < EXTRA_FREE_SHARE)
        & (facings.scores[free] >= EXTRA_SCORE_MIN)
    ]
    out = []
    for j, distance in zip(asked, evidence.before(asked), strict=True):
        if np.isnan(distance):
            continue
        new = 1 - _chance(_picture_odds(distance), 0.5)
        confidence = new * float(facings.scores[j])
        if confidence < EXTRA_CONFIDENCE_MIN:
            continue
        nearest = int(distances.to_products[:, j].argmin())
        known = likeness(distances.to_products[nearest, j]) >= KNOWN_FROM
        out.append(
            Finding(
                kind="extra" if known else "unexpected",
                box_xyxy_px=_as_box(boxes[j]),
                confidence=round(confidence, 3),
                sku=planogram.products[nearest].sku if known else None,
                position=None,
            )
        )
    return out


def _name_misplaced(
    planogram: Planogram, places: Sequence[_Place], findings: Sequence[Finding]
) -> tuple[tuple[PositionState, ...], tuple[Finding, ...]]:
    """A wrong product whose own place lacks it is misplaced: one walk mends both."""
    lacking = {finding.sku for finding in findings if finding.position is not None}
    named = tuple(
        replace(finding, kind="misplaced")
        if finding.kind == "wrong_product" and finding.seen in lacking
        else finding
        for finding in findings
    )
    kinds = {finding.position: finding.kind for finding in named if finding.position is not None}
    states = []
    for position, place in zip(planogram.in_order, places, strict=True):
        states.append(
            PositionState(
                id=position.id,
                sku=planogram.product_at(position).sku,
                status=_status(place, kinds.get(position.id)),
                box_xyxy_px=place.box,
                right=None if place.right is None else round(place.right, 4),
            )
        )
    return tuple(states), named


def _status(place: _Place, found: FindingKind | None) -> Status:
    if place.right is None:
        return "unobserved"
    if found == "missing" or found == "misplaced" or found == "wrong_product":
        return found
    return "ok" if place.right >= UNSURE_TO else "unsure"


def _as_box(values: npt.NDArray[np.float64]) -> Box:
    x1, y1, x2, y2 = (round(float(value), 1) for value in values)
    return x1, y1, x2, y2
