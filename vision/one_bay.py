"""Fuse overlapping photos of one bay into one list of facings. Pure: looks in, a bay out.

Each photo is registered to the others by its key points, all are brought into the frame of the one
that most others agree with, and facings that two photos show are counted once. A shelf is not quite
a plane, and the packs of the second photo lie a little beside those of the first: so neighbouring
photos are laid over each other a second time, by the facings that they share, before anything is
called a double.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter
from scipy.optimize import linear_sum_assignment

from storepulse.errors import BadInput
from vision.geometry import (
    Boxes,
    PlaneMap,
    areas,
    boxes_of,
    centres,
    inverse,
    iou,
    map_from_pairs,
    mapped,
    mapped_boxes,
    overlaps,
    sizes,
)
from vision.observation import Box, Gap, ModelFacts, Observation, PhotoFacts, Row
from vision.photos import Photo
from vision.register import Features, features, register
from vision.rows import find_rows

PHOTOS_MAX: Final = 8
_SAME_IOU: Final = 0.3
"""Two photos' facings that share so much are one, when each is the other's best: parallax moves a
pack by up to half its width against its neighbours."""
_INSIDE: Final = 0.8
_INSIDE_CUT: Final = 0.6
"""Of the smaller one's area: a facing that lies in another photo's is the same one, the sooner when
its own photo's edge may have cut it."""
_EDGE_SHARE: Final = 0.006
"""Of a photo's long side: a box that ends so near its edge may be cut."""
_SHARED_MIN: Final = 6
"""So many shared facings lay two photos over each other better than the key points did."""
_GAP_FILLED: Final = 0.3
"""A gap is none when any photo sees packs in so much of it."""
_GAP_SAME: Final = 0.4


class NotOneBay(BadInput):
    """The photos do not overlap, or one of them cannot be judged."""


@dataclass(frozen=True, slots=True)
class BayFacing:
    """One facing of the bay, counted once."""

    box_xyxy_px: Box
    """In the bay's frame."""
    score: float
    row: int | None
    photo: int
    """Index of the photo that shows it best."""
    photo_box_xyxy_px: Box
    """Where it is in that photo."""
    seen_in: tuple[int, ...]
    """All photos that show it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bay:
    """What several photos of one bay show together."""

    photos: tuple[PhotoFacts, ...]
    frame_photo: int
    """The photo in whose upright pixels, shifted, the frame is measured."""
    width_px: float
    height_px: float
    planes: tuple[tuple[tuple[float, float, float], ...], ...]
    """For each photo the homography from its pixels to the frame."""
    facings: tuple[BayFacing, ...]
    gaps: tuple[Gap, ...]
    rows: tuple[Row, ...]
    model: ModelFacts


BAY_JSON: Final[TypeAdapter[Bay]] = TypeAdapter(Bay)


@dataclass(frozen=True, slots=True, eq=False)
class _Each:
    """One photo's facings in the frame."""

    boxes: Boxes
    own: Boxes
    scores: npt.NDArray[np.float64]
    cut: npt.NDArray[np.bool_]


def fuse(looks: Sequence[tuple[Photo, Observation]]) -> Bay:
    """One bay from overlapping photos.

    Args:
        looks: 2 to `PHOTOS_MAX` photos and what each shows, in any order.
    Raises:
        NotOneBay: a photo was refused, or does not overlap the others enough to be laid over them.
    """
    if not 2 <= len(looks) <= PHOTOS_MAX:
        raise NotOneBay(f"one bay takes 2 to {PHOTOS_MAX} photos, {len(looks)} were given")
    for _, seen in looks:
        if seen.photo.verdict == "refused":
            raise NotOneBay(f"{seen.photo.file}: {' '.join(seen.photo.reasons)}")
    root, planes = _common_frame(looks)
    planes = _closer(looks, root, planes)
    planes, width, height = _into_sight(looks, planes)
    each = [_in_frame(seen, plane) for (_, seen), plane in zip(looks, planes, strict=True)]
    kept = list(_counted_once(each))
    boxes = boxes_of([each[photo].boxes[k] for photo, k, _ in kept])
    rows = find_rows(boxes, round(width), round(height))
    return Bay(
        photos=tuple(seen.photo for _, seen in looks),
        frame_photo=root,
        width_px=round(width, 1),
        height_px=round(height, 1),
        planes=tuple(
            tuple((float(a), float(b), float(c)) for a, b, c in plane) for plane in planes
        ),
        facings=tuple(
            BayFacing(
                _tenths(box), float(each[photo].scores[k]), int(row) if row >= 0 else None, photo,
                _tenths(each[photo].own[k]), seen_in,
            )
            for (photo, k, seen_in), box, row in zip(kept, boxes, rows.row_of, strict=True)
        ),
        gaps=_gaps([seen for _, seen in looks], planes, boxes),
        rows=tuple(replace(row, line_xyxy_px=_tenths(row.line_xyxy_px)) for row in rows.rows),
        model=looks[0][1].model,
    )  # fmt: skip


def _full(photo: Photo) -> Features:
    """Key points in the photo's full pixels."""
    found = features(photo.rgb)
    return Features(
        (found.points_px / np.float32(photo.scale)).astype(np.float32),
        found.looks, photo.width, photo.height,
    )  # fmt: skip


def _common_frame(
    looks: Sequence[tuple[Photo, Observation]],
) -> tuple[int, list[PlaneMap]]:
    """The photo that most others agree with, and the map from each to it.

    The surest pairs are joined first, so that a photo comes in through the neighbour that it shares
    most with.
    """
    points = [_full(photo) for photo, _ in looks]
    agree = np.zeros((len(looks), len(looks)))
    between: dict[tuple[int, int], PlaneMap] = {}
    for first in range(len(looks)):
        for second in range(first + 1, len(looks)):
            found = register(points[first], points[second])
            if found.plane is not None:
                agree[first, second] = agree[second, first] = found.inliers
                between[first, second] = found.plane
                between[second, first] = inverse(found.plane)
    root = int(agree.sum(axis=1).argmax())
    to_root: dict[int, PlaneMap] = {root: np.eye(3)}
    while len(to_root) < len(looks):
        open_ = [photo for photo in range(len(looks)) if photo not in to_root]
        near, photo = max(
            ((near, photo) for near in to_root for photo in open_), key=lambda pair: agree[pair]
        )
        if not agree[near, photo]:
            lost = ", ".join(looks[photo][1].photo.file for photo in open_)
            raise NotOneBay(
                f"{lost}: does not overlap the other photos enough to be laid over them; step "
                "aside by less, so that a third of the bay is on both"
            )
        whole = to_root[near] @ between[photo, near]
        to_root[photo] = whole / whole[2, 2]
    return root, [to_root[photo] for photo in range(len(looks))]


def _closer(
    looks: Sequence[tuple[Photo, Observation]], root: int, planes: list[PlaneMap]
) -> list[PlaneMap]:
    """Lay each photo over those that are in place already by the facings that they share.

    Key points lie on boards, tags and packs alike; what is counted are the packs' fronts.
    """
    placed, better = [root], list(planes)
    order = sorted((p for p in range(len(looks)) if p != root), key=lambda p: _away(planes[p]))
    for photo in order:
        mine = boxes_of([one.box_xyxy_px for one in looks[photo][1].facings])
        there = [
            mapped_boxes(boxes_of([one.box_xyxy_px for one in looks[other][1].facings]),
                         better[other])
            for other in placed
        ]  # fmt: skip
        theirs = np.concatenate(there)
        first, second = _pairs(mapped_boxes(mine, better[photo]), theirs)
        if len(first) >= _SHARED_MIN:
            shift = map_from_pairs(mapped_boxes(mine, better[photo])[first], theirs[second])
            # Of a narrow overlap the map says little about the far side: then it only shifts.
            enough = len(first) >= 4 * _SHARED_MIN
            if shift is None or not enough or not _gentle(shift, mine, better[photo]):
                beside = mapped_boxes(mine, better[photo])[first]
                shift = np.eye(3)
                shift[:2, 2] = np.median(centres(theirs[second]) - centres(beside), axis=0)
            better[photo] = shift @ better[photo]
        placed.append(photo)
    return better


def _away(plane: PlaneMap) -> float:
    return float(np.hypot(plane[0, 2], plane[1, 2]))


def _gentle(shift: PlaneMap, boxes: Boxes, plane: PlaneMap) -> bool:
    """Whether a second map moves no facing by more than its own width."""
    there = mapped_boxes(boxes, plane)
    moved = np.abs(centres(mapped_boxes(there, shift)) - centres(there)).max(axis=1)
    return bool((moved <= np.median(sizes(there)[:, 0])).all())


def _pairs(first: Boxes, second: Boxes) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Indexes of facings that are the same one in two photos, each in one pair at most."""
    if not len(first) or not len(second):
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    shared = iou(first, second)
    mine, theirs = linear_sum_assignment(-np.where(shared >= _SAME_IOU, shared, 0.0))
    good = shared[mine, theirs] >= _SAME_IOU
    return mine[good], theirs[good]


def _into_sight(
    looks: Sequence[tuple[Photo, Observation]], planes: list[PlaneMap]
) -> tuple[list[PlaneMap], float, float]:
    """The maps shifted so that all photos lie at positive places, and the size of them all."""
    corners = np.concatenate(
        [
            mapped(np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float64), plane)
            for (wide, tall), plane in zip(
                ((photo.width, photo.height) for photo, _ in looks), planes, strict=True
            )
        ]
    )
    if not np.isfinite(corners).all():
        raise NotOneBay("the photos were taken from too different sides; stand before the bay")
    low, high = corners.min(axis=0), corners.max(axis=0)
    move = np.eye(3)
    move[:2, 2] = -low
    return [move @ plane for plane in planes], float(high[0] - low[0]), float(high[1] - low[1])


def _in_frame(seen: Observation, plane: PlaneMap) -> _Each:
    own = boxes_of([one.box_xyxy_px for one in seen.facings])
    reach = _EDGE_SHARE * max(seen.photo.width, seen.photo.height)
    ends = np.array([seen.photo.width, seen.photo.height]) - reach
    near = np.concatenate([own[:, :2] <= reach, own[:, 2:] >= ends], axis=1)
    cut = np.asarray(near.any(axis=1), np.bool_)
    return _Each(
        mapped_boxes(own, plane), own, np.array([one.score for one in seen.facings], float), cut
    )


def _counted_once(each: Sequence[_Each]) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """Photo and index of the facings that stay, and in which photos each is seen.

    Whole facings go before cut ones, sure ones before doubtful; what another photo shows in the
    same place is then the same facing. Two facings of one photo are never one.
    """
    every = [(photo, k) for photo, one in enumerate(each) for k in range(len(one.scores))]
    every.sort(key=lambda at: (each[at[0]].cut[at[1]], -each[at[0]].scores[at[1]]))
    group: dict[tuple[int, int], tuple[int, int]] = {}
    members: dict[tuple[int, int], dict[int, int]] = {}
    # First those that are each other's best in two photos.
    twins: dict[tuple[int, int], set[tuple[int, int]]] = {at: set() for at in every}
    for first in range(len(each)):
        for second in range(first + 1, len(each)):
            for a, b in zip(*_pairs(each[first].boxes, each[second].boxes), strict=True):
                twins[first, int(a)].add((second, int(b)))
                twins[second, int(b)].add((first, int(a)))
    for at in every:
        if at in group:
            continue
        group[at] = at
        members[at] = {at[0]: at[1]}
        for twin in twins[at]:
            if twin not in group and twin[0] not in members[at]:
                group[twin] = at
                members[at][twin[0]] = twin[1]
    # Then what is left over and lies on a facing of another photo: cut ones, and bad boxes.
    heads = sorted(members, key=lambda at: (each[at[0]].cut[at[1]], -each[at[0]].scores[at[1]]))
    kept: list[tuple[int, int]] = []
    for head in heads:
        box = each[head[0]].boxes[head[1]][None]
        others = [one for one in kept if head[0] not in members[one]]
        if others:
            boxes = boxes_of([each[p].boxes[k] for p, k in others])
            shared = overlaps(box, boxes)[0]
            smaller = np.minimum(areas(box), areas(boxes))
            inside = _INSIDE_CUT if each[head[0]].cut[head[1]] else _INSIDE
            same = (iou(box, boxes)[0] >= _SAME_IOU) | (shared >= inside * smaller)
            if same.any():
                best = others[int(np.where(same, shared, -1).argmax())]
                members[best].setdefault(head[0], head[1])
                continue
        kept.append(head)
    for head in kept:
        yield head[0], head[1], tuple(sorted(members[head]))


def _gaps(
    seen: Sequence[Observation], planes: Sequence[PlaneMap], facings: Boxes
) -> tuple[Gap, ...]:
    """Gaps that no photo sees filled, each once; their rows are not told."""
    told = [(gap, plane) for look, plane in zip(seen, planes, strict=True) for gap in look.gaps]
    told.sort(key=lambda pair: -pair[0].score)
    kept: list[Gap] = []
    for gap, plane in told:
        box = mapped_boxes(boxes_of([gap.box_xyxy_px]), plane)
        filled = overlaps(box, facings)[0].sum() / max(float(areas(box)[0]), 1e-9)
        before = boxes_of([one.box_xyxy_px for one in kept])
        shared = overlaps(box, before)[0] >= _GAP_SAME * np.minimum(areas(box), areas(before))
        if filled <= _GAP_FILLED and not shared.any():
            kept.append(Gap(_tenths(box[0]), gap.score))
    return tuple(kept)


def _tenths(edges: Iterable[float]) -> Box:
    x1, y1, x2, y2 = (round(float(edge), 1) for edge in edges)
    return x1, y1, x2, y2
