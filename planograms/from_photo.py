"""Make a planogram from a photo of a well-kept shelf. Pure: reads and writes no file.

Each facing becomes a position; facings that look alike become one product, named p1, p2, ... by
number of facings. A person gives them their names and marks what is to be pushed.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from planograms.errors import BadPlanogram, NoShelf
from planograms.grouping import group
from planograms.model import Box, Picture, Planogram, Position, Product, ReferencePhoto, Shelf
from planograms.pictures import (
    CROP_LONG_PX_MAX,
    REFERENCE_LONG_PX_MAX,
    crop,
    packed,
    shrunk,
)
from storepulse.checklists import Sentence
from vision.appearance import Floats, describe, distance
from vision.faces import blur_faces
from vision.geometry import Boxes, boxes_of, centres, touched
from vision.observation import Observation
from vision.photos import Photo
from vision.verdict import SENTENCES

Ints = npt.NDArray[np.int64]

PICTURES_A_PRODUCT: Final = 3
FACINGS_MIN: Final = 2
SCORE_MIN: Final = 0.61
"""What the detector is less sure of is mostly goods behind the front or cut off: no place that a
clerk should be sent to."""


def planogram_from_photo(
    photo: Photo,
    observation: Observation,
    *,
    id: str,  # noqa: A002
    bay: str,
    made_at: datetime,
    name: str = "",
    version: int = 1,
    main_push: Sequence[str] = (),
) -> Planogram:
    """Make a planogram of what a photo shows.

    Args:
        photo: the photo of the well-kept shelf.
        observation: what `vision` saw on it.
        main_push: ids of products ("p3") or of positions ("r2-p07", which mark their product).
    Raises:
        NoShelf: refused photo, or fewer than `FACINGS_MIN` facings.
        BadPlanogram: `main_push` names what is not there.
        NoFaceFinder: faces cannot be blurred here, so no picture may be kept.
    """
    if observation.photo.verdict == "refused":
        why = _why_refused(observation)
        raise NoShelf(f"{photo.file}: no planogram can be made from it: {why.en}", why)
    if sum(facing.score >= SCORE_MIN for facing in observation.facings) < FACINGS_MIN:
        few = len(observation.facings)
        words = Sentence(
            en=f"{few} facings seen, at least {FACINGS_MIN} are needed; take the photo from the "
            "front, with the whole bay in view",
            zh=f"只看到 {few} 个排面，至少需要 {FACINGS_MIN} 个；请正面拍摄，让整组货架入镜",
        )
        raise NoShelf(f"{photo.file}: {words.en}", words)
    sure = [facing for facing in observation.facings if facing.score >= SCORE_MIN]
    observation = replace(observation, facings=tuple(sure))
    boxes = boxes_of([facing.box_xyxy_px for facing in sure])
    rows = rows_for(boxes, observation)
    order = np.lexsort((centres(boxes)[:, 0], rows))
    boxes, rows = boxes[order], rows[order]
    looks = describe(photo.rgb, boxes * photo.scale)
    groups = group(looks, boxes, rows)
    positions = _positions(boxes, rows, groups)
    pixels, faces = blur_faces(photo.rgb)
    blurred = boxes_of(faces) / photo.scale
    clear = ~touched(boxes, blurred)
    products = _products(
        pixels, photo.scale, boxes, looks, groups, clear, _pushed(main_push, positions)
    )
    small = shrunk(pixels, REFERENCE_LONG_PX_MAX)
    return Planogram(
        id=id,
        name=name or id,
        bay=bay,
        version=version,
        made_at=made_at,
        source="photo",
        unit="px",
        width=photo.width,
        height=photo.height,
        shelves=_shelves(boxes, rows, observation),
        products=products,
        positions=positions,
        reference=ReferencePhoto(
            picture=packed(small),
            scale=small.shape[1] / photo.width,
            blurred=tuple(_box(box) for box in blurred),
        ),
    )


def _why_refused(observation: Observation) -> Sentence:
    """In both languages where the reasons are known by their codes."""
    known = [SENTENCES[code] for code in observation.photo.codes if code in SENTENCES]
    english = "; ".join(observation.photo.reasons) or "it cannot be judged"
    return Sentence(en=english, zh="".join(one.zh for one in known) or "照片无法判断，请重拍")


def rows_for(boxes: Boxes, observation: Observation) -> Ints:
    """The row of each facing (n,); one that stands on none goes to the nearest line."""
    given = np.array(
        [-1 if facing.row is None else facing.row for facing in observation.facings], dtype=np.int64
    )
    loose = np.flatnonzero(given < 0)
    if not len(loose):
        return given
    if not observation.rows:
        return np.zeros(len(given), dtype=np.int64)
    lines = np.array([row.line_xyxy_px for row in observation.rows], dtype=np.float64)
    names = np.array([row.index for row in observation.rows])
    x, foot = centres(boxes[loose])[:, :1], boxes[loose, 3:]
    x1, y1, x2, y2 = lines.T
    level = y1 + (y2 - y1) * (x - x1) / np.maximum(x2 - x1, 1e-6)
    given[loose] = names[np.abs(level - foot).argmin(axis=1)]
    return given


def _positions(boxes: Boxes, rows: Ints, groups: Ints) -> tuple[Position, ...]:
    out = []
    for row in np.unique(rows):
        for index, k in enumerate(np.flatnonzero(rows == row)):
            out.append(
                Position(
                    id=f"r{row}-p{index + 1:02d}",
                    row=int(row),
                    index=index,
                    product=f"p{groups[k] + 1}",
                    box_xyxy=_box(boxes[k]),
                )
            )
    return tuple(out)


def _box(values: npt.NDArray[np.float64]) -> Box:
    x1, y1, x2, y2 = (round(float(value), 1) for value in values)
    return x1, y1, x2, y2


def _pushed(names: Sequence[str], positions: Sequence[Position]) -> frozenset[str]:
    product_at = {position.id: position.product for position in positions}
    products = set(product_at.values())
    unknown = [name for name in names if name not in products and name not in product_at]
    if unknown:
        raise BadPlanogram(
            f"--main-push {unknown[0]}: no such product or position; allowed are p1 to "
            f"p{len(products)} and positions such as {positions[0].id}"
        )
    return frozenset(product_at.get(name, name) for name in names)


def _products(
    rgb: npt.NDArray[np.uint8],
    scale: float,
    boxes: Boxes,
    looks: Floats,
    groups: Ints,
    clear: npt.NDArray[np.bool_],
    pushed: frozenset[str],
) -> tuple[Product, ...]:
    out = []
    for number in range(int(groups.max()) + 1):
        mine = np.flatnonzero(groups == number)
        shown = mine[clear[mine]]
        width, height = np.median(boxes[mine, 2:] - boxes[mine, :2], axis=0)
        name = f"p{number + 1}"
        out.append(
            Product(
                id=name,
                sku=name,
                name=name,
                main_push=name in pushed,
                width=round(float(width), 1),
                height=round(float(height), 1),
                pictures=_pictures(rgb, boxes[shown] * scale, looks[shown]),
            )
        )
    return tuple(out)


def _pictures(rgb: npt.NDArray[np.uint8], boxes_px: Boxes, looks: Floats) -> tuple[Picture, ...]:
    """The facing most like the others, then those least like the ones already taken; or none."""
    if not len(looks):
        return ()
    apart = distance(looks, looks)
    taken = [int(apart.sum(axis=1).argmin())]
    while len(taken) < min(PICTURES_A_PRODUCT, len(boxes_px)):
        taken.append(int(apart[:, taken].min(axis=1).argmax()))
    return tuple(packed(shrunk(crop(rgb, boxes_px[k]), CROP_LONG_PX_MAX)) for k in taken)


def _shelves(boxes: Boxes, rows: Ints, observation: Observation) -> tuple[Shelf, ...]:
    seen = {row.index: row for row in observation.rows}
    out = []
    for row in np.unique(rows):
        mine = boxes[rows == row]
        foot = float(np.median(mine[:, 3]))
        line = seen[row].line_xyxy_px if row in seen else (
            float(mine[:, 0].min()), foot, float(mine[:, 2].max()), foot
        )  # fmt: skip
        height = float(np.median(mine[:, 3] - mine[:, 1]))
        out.append(Shelf(row=int(row), line_xyxy=line, height=round(height, 1)))
    return tuple(out)
