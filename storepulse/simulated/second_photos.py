"""Simulate harder second photos of a shelf: from another place, partly blocked, goods moved.

Unlike `exposures.expose_again`, which bends one picture as a whole, the shelves here lie at
different depths (each moves by its own amount), some goods were put back a little off, some stand
behind the front and move against it, and the view cuts packs at its edges. Judges nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from storepulse.simulated.exposures import Box, Homography, erase_facings, map_boxes
from storepulse.simulated.packs import Rgb
from storepulse.simulated.stamp import stamp_simulated

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How the second photo is taken, and how far the goods were moved before it.

    Shares of the picture's sides: `shift` (how far the view moves, at most), `view` (how much of
    each side it shows), `slant` (how much nearer one side is, at most), `tilt` (corners, at most).
    Shares of a facing: `parallax` (each shelf's own shift, at most), `deep` (how far goods behind
    the front move against it, at most).
    """

    shift: float = 0.08
    view: tuple[float, float] = (0.8, 0.92)
    slant: float = 0.08
    tilt: float = 0.03
    parallax: float = 0.3
    deep: float = 0.8
    put_back: float = 0.33
    """The share of facings that stand a few percent off."""
    light: tuple[float, float] = (0.75, 1.2)
    scale: tuple[float, float] = (0.85, 1.1)
    """Pixels of the second photo for one of the first."""
    blocked: float = 0.0
    """How much of the width a person or a trolley takes, at most."""


CONDITIONS: Final[Mapping[str, Condition]] = {
    "a step aside": Condition(),
    "30 degrees": Condition(slant=0.42, view=(0.85, 0.95), parallax=0.5, deep=1.2),
    "quarter light": Condition(light=(0.22, 0.28)),
    "half in view": Condition(view=(0.5, 0.6), shift=0.2, scale=(0.95, 1.25)),
    "half the pixels": Condition(scale=(0.5, 0.55)),
    "blocked": Condition(blocked=0.3),
}
"""By the name that people read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What was done to the shelf between the photos: numbers of facings."""

    erased: Sequence[int] = ()
    replaced: Mapping[int, int] | None = None
    """Facing -> the facing whose product stands there now."""


@dataclass(frozen=True, slots=True)
class SecondPhoto:
    """A second photo and what is true of it."""

    rgb: Rgb
    places_px: Reals
    """(n, 4) where each facing's place is on it; may reach beyond the picture."""
    hidden: Reals
    """(n,) the share of each place that the photo does not show: beyond an edge, or blocked."""


def view_of(rgb: Rgb, condition: Condition, *, seed: int) -> tuple[Rgb, Homography]:
    """The first photo: a part of a picture, so that both photos cut packs at their edges.

    Returns:
        Its pixels, and the map from the picture's pixels to its own.
    """
    rng = np.random.default_rng([seed, 0xA1])
    plane, size = _camera(rgb.shape[1], rgb.shape[0], condition, rng, scale=1.0)
    seen = cv2.warpPerspective(rgb, plane, size, flags=cv2.INTER_LINEAR,
                               borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    return seen.astype(np.uint8), plane


def second_photo(
    rgb: Rgb,
    facings: Sequence[Box],
    rows: Sequence[int],
    condition: Condition,
    *,
    seed: int,
    changes: Changes | None = None,
) -> SecondPhoto:
    """Photograph the shelf again under a condition.

    Args:
        rgb: the shelf; it is not changed.
        facings: (n, 4) pixels of `rgb`.
        rows: (n,) the row of each.
        seed: the same seed gives the same camera, whatever was changed on the shelf.
    """
    boxes = np.array(facings, np.float64).reshape(-1, 4)
    done = changes or Changes()
    moved, places = _restocked(rgb, boxes, np.array(rows), done, condition, seed)
    rng = np.random.default_rng([seed, 0xB2])
    drift = _drift(boxes, np.array(rows), rgb.shape[0], condition.parallax, rng)
    height, width = rgb.shape[:2]
    y = np.arange(height, dtype=np.float64)
    at = np.stack([np.interp(y, drift[:, 0], drift[:, k]) for k in (1, 2)])
    map_x = np.arange(width, dtype=np.float32)[None] - at[0].astype(np.float32)[:, None]
    map_y = np.broadcast_to((y - at[1]).astype(np.float32)[:, None], map_x.shape)
    slid = cv2.remap(moved, map_x, np.ascontiguousarray(map_y), cv2.INTER_LINEAR,
                     borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    middles = (places[:, 1] + places[:, 3]) / 2
    off = np.stack([np.interp(middles, drift[:, 0], drift[:, k]) for k in (1, 2)], axis=1)
    slid_places = places + np.tile(off, 2)
    plane, size = _camera(width, height, condition, rng, scale=float(rng.uniform(*condition.scale)))
    seen = cv2.warpPerspective(slid, plane, size, flags=cv2.INTER_AREA,
                               borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)  # fmt: skip
    where = np.array(map_boxes([_as_box(box) for box in slid_places], plane)).reshape(-1, 4)
    cover = np.zeros(seen.shape[:2], np.float32)
    if condition.blocked:
        seen, cover = _blocked(seen, condition.blocked, rng)
    lit = stamp_simulated(_lit(seen, condition.light, rng))
    return SecondPhoto(_jpeg(lit, rng), where, _hidden(where, cover))


def _as_box(values: Reals) -> Box:
    x1, y1, x2, y2 = (float(value) for value in values)
    return x1, y1, x2, y2


def _camera(
    width: int, height: int, condition: Condition, rng: np.random.Generator, *, scale: float
) -> tuple[Homography, tuple[int, int]]:
    """The map of a view that lies inside the picture, and the size of what it gives."""
    share = rng.uniform(*condition.view)
    wide, tall = share * width, rng.uniform(max(share, 0.8), max(share, 0.95)) * height
    room = np.array([width - wide, height - tall])
    reach = np.minimum(room / 2, condition.shift * np.array([width, height]))
    x, y = room / 2 + rng.uniform(-1, 1, 2) * reach
    corners = np.array([[x, y], [x + wide, y], [x + wide, y + tall], [x, y + tall]])
    inward = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    corners = corners + inward * rng.uniform(0, condition.tilt, (4, 2)) * [wide, tall]
    # The nearer side shows less of the shelf's height, larger.
    near = rng.uniform(0.6, 1) * condition.slant
    side = [1, 2] if rng.random() < 0.5 else [0, 3]
    corners[side[0], 1] += near * tall / 2
    corners[side[1], 1] -= near * tall / 2
    size = max(64, round(wide * (1 - 0.3 * near) * scale)), max(64, round(tall * scale))
    target = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
    plane = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    return plane.astype(np.float64), size


def _drift(
    boxes: Reals, rows: npt.NDArray[np.int64], height: int, most: float, rng: np.random.Generator
) -> Reals:
    """(r, 3) rising y of each shelf's middle, and how far its goods move right and down."""
    if not len(boxes):
        return np.array([[0.0, 0.0, 0.0], [float(height), 0.0, 0.0]])
    out = []
    step = rng.choice([-1.0, 1.0])
    for row in np.unique(rows):
        mine = boxes[rows == row]
        width = float(np.median(mine[:, 2] - mine[:, 0]))
        # One step of the camera, shelves at different depths: all move one way, by own amounts.
        right = step * rng.uniform(-0.2, 1) * most * width
        out.append([float((mine[:, 1] + mine[:, 3]).mean() / 2), right,
                    rng.uniform(-0.15, 0.15) * most * width])  # fmt: skip
    return np.array(sorted(out))


def _restocked(
    rgb: Rgb,
    boxes: Reals,
    rows: npt.NDArray[np.int64],
    changes: Changes,
    condition: Condition,
    seed: int,
) -> tuple[Rgb, Reals]:
    """The shelf with facings gone, exchanged, put back a little off, or moved as deep goods do."""
    rng = np.random.default_rng([seed, 0xC3])
    n = len(boxes)
    sizes = boxes[:, 2:] - boxes[:, :2]
    off = np.zeros((n, 2))
    loose = rng.random(n) < condition.put_back
    off[loose] = rng.normal(0, 0.035, (int(loose.sum()), 2)) * sizes[loose] * [1, 0.3]
    off[:, 1] = np.minimum(off[:, 1], 0)  # nothing sinks into its board
    deep = np.zeros(n, bool)
    if n and condition.deep and rng.random() < 0.7:
        start = int(rng.integers(n))
        same = np.flatnonzero(rows == rows[start])
        near = same[np.argsort(np.abs(boxes[same, 0] - boxes[start, 0]))]
        deep[near[: int(rng.integers(1, 5))]] = True
        off[deep, 0] += rng.choice([-1, 1]) * rng.uniform(0.3, 1) * condition.deep * sizes[deep, 0]
    replaced = dict(changes.replaced or {})
    gone = set(changes.erased)
    stirred = [i for i in range(n) if off[i].any() or i in gone or i in replaced]
    out = erase_facings(rgb, [_as_box(boxes[i]) for i in stirred], seed=seed)
    for i in sorted(stirred, key=lambda k: not deep[k]):
        if i in gone:
            continue
        crop = cut_out(rgb, boxes[replaced.get(i, i)])
        gain = rng.uniform(0.94, 1.06)
        put_onto(out, np.clip(crop * gain, 0, 255).astype(np.uint8), boxes[i] + np.tile(off[i], 2))
    # What stands in front of goods that moved behind it still does.
    for i in np.flatnonzero(~deep & ~np.isin(np.arange(n), stirred)).tolist():
        if deep.any() and _touch(boxes[i], boxes[deep] + np.tile(off[deep], 2)):
            put_onto(out, cut_out(rgb, boxes[i]), boxes[i])
    still = np.isin(np.arange(n), list(gone))
    return out, boxes + np.where(still[:, None], 0.0, np.tile(off, 2))


def _touch(box: Reals, others: Reals) -> bool:
    wide = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0])
    tall = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1])
    return bool(((wide > 0) & (tall > 0)).any())


def cut_out(rgb: Rgb, box: Reals) -> Rgb:
    """The pixels in a box, at least one; what reaches beyond the picture is left out."""
    height, width = rgb.shape[:2]
    x1, y1 = int(np.clip(box[0], 0, width - 2)), int(np.clip(box[1], 0, height - 2))
    x2, y2 = int(np.clip(box[2], x1 + 1, width)), int(np.clip(box[3], y1 + 1, height))
    return rgb[y1:y2, x1:x2]


def put_onto(onto: Rgb, crop: Rgb, box: Reals) -> None:
    """Paste a crop stretched into a box; what reaches beyond the picture is left out."""
    height, width = onto.shape[:2]
    x1, y1, x2, y2 = (round(float(value)) for value in box)
    if x2 - x1 < 2 or y2 - y1 < 2:
        return
    fitted = cv2.resize(crop, (x2 - x1, y2 - y1), interpolation=cv2.INTER_LINEAR)
    a, b = max(0, x1), max(0, y1)
    c, d = min(width, x2), min(height, y2)
    if c > a and d > b:
        onto[b:d, a:c] = fitted[b - y1 : d - y1, a - x1 : c - x1]


def _blocked(
    rgb: Rgb, most: float, rng: np.random.Generator
) -> tuple[Rgb, npt.NDArray[np.float32]]:
    """A person's back or a trolley before the shelf; the mask says where, 0 to 1."""
    height, width = rgb.shape[:2]
    wide = rng.uniform(0.5, 1) * most * width
    middle = rng.uniform(0.15, 0.85) * width
    mask = np.zeros((height, width), np.float32)
    if rng.random() < 0.6:
        top = rng.uniform(0.1, 0.4) * height
        head = 0.2 * wide
        cv2.ellipse(mask, (int(middle), int(top + head)), (int(head), int(1.3 * head)), 0, 0, 360,
                    1.0, -1)  # fmt: skip
        cv2.ellipse(mask, (int(middle), height), (int(wide / 2), int(height - top - 2.2 * head)),
                    0, 180, 360, 1.0, -1)  # fmt: skip
    else:
        top = rng.uniform(0.55, 0.75) * height
        for x in np.arange(middle - wide, middle + wide, max(8, width / 45)):
            cv2.line(mask, (int(x), int(top)), (int(x), height), 1.0, max(2, width // 250))
        for y in np.arange(top, height, max(8, height / 60)):
            cv2.line(mask, (int(middle - wide), int(y)), (int(middle + wide), int(y)), 1.0,
                     max(2, width // 250))  # fmt: skip
        low = np.zeros_like(mask)
        low[int(top) :, max(0, int(middle - wide)) : int(middle + wide)] = 0.5
        mask = np.maximum(mask, low * (mask == 0))
    cloth = cv2.resize(
        rng.uniform(0.8, 1.2, (12, 8)).astype(np.float32), (width, height),
        interpolation=cv2.INTER_CUBIC,
    )  # fmt: skip
    paint = np.clip(rng.uniform(20, 170, 3) * cloth[..., None], 0, 255)
    solid = (mask >= 1)[..., None]
    return np.where(solid, paint, rgb).astype(np.uint8), mask


def _lit(rgb: Rgb, light: tuple[float, float], rng: np.random.Generator) -> Rgb:
    height, width = rgb.shape[:2]
    gain, gamma = rng.uniform(*light), rng.uniform(0.85, 1.2)
    cast = rng.uniform(0.93, 1.07, 3)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    across, down = rng.uniform(-0.2, 0.2, 2)
    field = (gain * (1 + across * x + down * y))[..., None] * cast
    lit = 255 * (rgb / np.float32(255)) ** gamma * field
    blurred = cv2.GaussianBlur(
        lit, (0, 0), float(rng.uniform(0.5, 1.0)) * max(height, width) / 1600
    )
    grain = rng.normal(0, 2.0, (height, width, 1)).astype(np.float32)
    seen: Rgb = np.clip(blurred + grain, 0, 255).astype(np.uint8)
    return seen


def _jpeg(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    quality = int(rng.integers(75, 93))
    done, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done, "an 8-bit picture can always be written as JPEG"
    back = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert back is not None, "what was just written can be read"
    return np.ascontiguousarray(back[..., ::-1]).astype(np.uint8)


def _hidden(places: Reals, cover: npt.NDArray[np.float32]) -> Reals:
    height, width = cover.shape
    out = np.ones(len(places))
    for i, (x1, y1, x2, y2) in enumerate(places):
        a, b = max(0, int(x1)), max(0, int(y1))
        c, d = min(width, int(np.ceil(x2))), min(height, int(np.ceil(y2)))
        if c > a and d > b:
            shown = (c - a) * (d - b) * (1 - float(cover[b:d, a:c].mean()))
            out[i] = 1 - min(1.0, shown / max(1.0, (x2 - x1) * (y2 - y1)))
    return out
