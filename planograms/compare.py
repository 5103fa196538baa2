"""What differs between planogram and photo, once facings are matched. Pure: asks for evidence.

The detector is one witness. A facing that it did not see, or saw one too many of, is looked at
again: does the place still look as on the reference photo? Only what both agree on is claimed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from planograms.claims import SURELY_RIGHT, Claims, Evidence, Facings, sure_around, witnesses_of
from planograms.confidence import CURVES, DRAWN_CURVES, Claim, Witnesses
from planograms.findings import Box, Finding, PositionState, Status
from planograms.matching import Match
from planograms.model import Planogram
from planograms.unfold import planned_position
from storepulse.checklists import FindingKind
from vision.appearance import likeness
from vision.geometry import (
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
UNSURE_FROM: Final = 0.4
UNSURE_TO: Final = 0.5
"""Between these probabilities of being right nothing is claimed. In cross-validation on 47 train
photos claims from 0.6 up found 1,513 of 1,865 changes with 81 false ones, from 0.75 up 1,372 with
46: a false one costs a clerk a look, a missed one costs sales."""
PICTURE_ODDS_MOST: Final = 4.5
"""No single picture is trusted further than this, in log odds (about 1 in 90)."""
RIGHT_MOST: Final = 0.999
WRONG_LEAST: Final = 0.01
"""Whatever the witnesses say: one claim in a hundred, and one facing in a thousand that looks
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
ASKED_FROM: Final = 0.3
"""Claims surer than this, by picture and edges, are put to all witnesses."""
STANDS_AT_OVERLAP: Final = 0.4
EXTRA_SCORE_MIN: Final = 0.61
EXTRA_CONFIDENCE_MIN: Final = 0.9
"""Higher than for planned places: from another viewpoint goods behind the fronts come into view,
and no position stands for them. On two photos of one unchanged bay, taken by hand from different
places, the claims between 0.5 and 0.7 were all of goods that the other photo shows as well."""
EXTRA_FREE_SHARE: Final = 0.5
EXTRA_WITHOUT_PICTURE: Final = 0.9
EXTRA_UNSEEN_MIN: Final = 0.6
"""How sure a surplus facing is where there is no reference photo to ask, and from which confidence
it is told: choices, not measurements."""
EXTRA_HEIGHT_MIN: Final = 0.25
"""Of the lowest tenth of the places: leaflets and tags told as a row of facings are less high. 0.6
hid goods, too: those of one bay differ in height by up to three times."""


@dataclass(frozen=True)
class Distances:
    """How unlike facings look: to each position's own picture and to each product's pictures."""

    to_positions: Reals
    """(n, m), positions in order: to the position's own picture or its product's, the nearer."""
    to_products: Reals
    """(k, m), products as the planogram lists them."""


@dataclass(frozen=True)
class Heard:
    """What the witnesses said of each claim, from which confidence is learnt."""

    asked: Ints
    """(k,) numbers of the places, in order."""
    bare: npt.NDArray[np.bool_]
    """(k,) whether no facing was detected there."""
    witnesses: Witnesses


@dataclass(frozen=True)
class Comparison:
    """How positions stand, in order, and what to mend."""

    positions: tuple[PositionState, ...]
    findings: tuple[Finding, ...]
    heard: Heard | None = None
    """None where nothing was claimed, or there were no pixels to ask."""


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
    if match.places is None:
        # Nobody knows where this view is: what its rows seem to say is no claim.
        states, _ = _name_misplaced(planogram, places, [])
        return Comparison(states, ())
    heard = _weigh_claims(planogram, places, match.places, facings, evidence)
    findings = [
        *_state_findings(planogram, places),
        *_surplus(planogram, places, facings, distances, match, evidence),
    ]
    states, named = _name_misplaced(planogram, places, findings)
    return Comparison(states, named, heard)


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


def _weigh_claims(
    planogram: Planogram,
    places: Sequence[_Place],
    where: Boxes,
    facings: Facings,
    evidence: Evidence,
) -> Heard | None:
    """Say of each claim how sure it is, now that all witnesses can be heard."""
    wrong = np.array(
        [0.0 if each.right is None else (1 - each.right) * each.doubt for each in places]
    )
    asked = np.flatnonzero(wrong >= ASKED_FROM)
    if not len(asked):
        return None
    bare = np.array([place.bare for place in places])
    own = np.array([place.box or (0, 0, 0, 0) for place in places], dtype=np.float64)
    standing = [-1 if place.facing is None or place.bare else place.facing for place in places]
    witnesses = witnesses_of(
        planogram,
        facings,
        evidence,
        claims=Claims(
            asked=asked,
            wrong=wrong,
            edges=np.array([place.share for place in places]),
            # Where nothing was detected, the map says where to look; else the facing does.
            spots=np.where(bare[:, None], where, own),
            where=where,
            standing=np.array(standing, dtype=np.int64),
        ),
    )
    if witnesses is None:
        return None
    curves = CURVES if evidence.of_photo else DRAWN_CURVES
    kinds: tuple[tuple[Claim, npt.NDArray[np.bool_]], ...] = (
        ("missing", bare[asked]), ("wrong", ~bare[asked]),
    )  # fmt: skip
    for claim, mine in kinds:
        sure = curves[claim].confidence(witnesses)
        for i, confidence in zip(asked[mine].tolist(), sure[mine], strict=True):
            places[i].right, places[i].doubt = 1 - float(confidence), 1.0
    return Heard(asked, bare[asked], witnesses)


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
    places: Sequence[_Place],
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
    # All places together: one box about two packs stands at both of theirs.
    covered = overlaps(boxes[free], match.places).sum(axis=1) / np.maximum(areas(boxes[free]), 1e-9)
    frame = mapped_boxes(boxes[free], inverse(match.plane))
    in_frame = visible_share(frame, width=planogram.width, height=planogram.height)
    asked = free[
        (in_frame >= VISIBLE_SHARE_MIN)
        & (covered < EXTRA_FREE_SHARE)
        & (facings.scores[free] >= EXTRA_SCORE_MIN)
    ]
    out = []
    # Where little around is in place, the map is off, and what seems new stood elsewhere on it.
    sure = np.array([(place.right or 0.0) >= SURELY_RIGHT for place in places])
    shown = np.array([place.right is not None for place in places])
    settled = sure_around(match.places[shown], sure[shown], boxes[asked])
    settled = np.nan_to_num(settled, nan=1.0)
    # Without pixels to ask, a bare place says nothing of the map; what stands there does.
    held = shown & (match.facing_of >= 0)
    standing = np.nan_to_num(sure_around(match.places[held], sure[held], boxes[asked]), nan=1.0)
    lowest = float(np.percentile(match.places[:, 3] - match.places[:, 1], 10))
    for j, distance, around, near in zip(
        asked, evidence.before(asked), settled, standing, strict=True
    ):
        nearest = int(distances.to_products[:, j].argmin())
        known = bool(likeness(distances.to_products[nearest, j]) >= KNOWN_FROM)
        if np.isnan(distance):
            if not known and boxes[j, 3] - boxes[j, 1] < EXTRA_HEIGHT_MIN * lowest:
                continue
            new, least = EXTRA_WITHOUT_PICTURE * min(1.0, 4 * float(near)), EXTRA_UNSEEN_MIN
        else:
            new, least = 1 - _chance(_picture_odds(distance), 0.5), EXTRA_CONFIDENCE_MIN
            new *= float(around)
        confidence = new * float(facings.scores[j])
        if confidence < least:
            continue
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
    """A wrong product whose own place lacks it is misplaced: one walk mends both.

    A position of several facings of which some are in place is short of those that are not.
    """
    lacking = {finding.sku for finding in findings if finding.position is not None}
    named = tuple(
        replace(finding, kind="misplaced")
        if finding.kind == "wrong_product" and finding.seen in lacking
        else finding
        for finding in findings
    )
    right = {
        planned_position(position.id)
        for position, place in zip(planogram.in_order, places, strict=True)
        if (place.right or 0.0) >= UNSURE_TO
    }
    named = tuple(
        replace(finding, kind="short")
        if finding.kind == "missing" and planned_position(finding.position or "") in right
        else finding
        for finding in named
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
    if found in ("missing", "misplaced", "wrong_product", "short"):
        return found
    return "ok" if place.right >= UNSURE_TO else "unsure"


def _as_box(values: npt.NDArray[np.float64]) -> Box:
    x1, y1, x2, y2 = (round(float(value), 1) for value in values)
    return x1, y1, x2, y2
