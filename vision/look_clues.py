"""Figures of a photo from what the detector saw on it, some 2 ms of work. Judges nothing.

How large facings are, how that changes along the rows and how the rows converge (a shelf seen from
its side), what no facing covers and how white it is (glare), and which sides of the photo no facing
reaches while others are cut (a camera that points past the bay).

Lengths are shares of the picture's long side, so that its size changes nothing.
"""

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.detector import Found
from vision.photos import Pixels

Floats = NDArray[np.float64]
Mask = NDArray[np.uint8]
Named = Iterator[tuple[str, float]]

MAP_PX: Final = 160
"""Long side of the maps of what is covered and what is white."""
_ASKED_MAX: Final = 300
"""Of the surest facings: each is compared with each to find neighbours."""
_VOTERS_MAX: Final = 240
"""So many pairs of neighbours vote for the rows' lean: more change nothing but the time."""
_BASES: Final = np.linspace(-0.4, 0.4, 17)
_CHANGES: Final = np.linspace(-2.4, 2.4, 25)
"""Lean at the middle and its change, tried: a shelf 60 degrees aside changes by 2.2 at most."""
_ROW_MIN: Final = 4
_TOUCHES: Final = 0.008
"""A facing that ends so near the photo's edge is cut by it."""
_REACHED: Final = 0.12
"""A side is reached where facings cover so much of a line along it."""
_WHITE: Final = (200, 228, 248)
_SHARES: Final = (10.0, 25.0, 50.0, 75.0, 90.0)
_SIDES: Final = ("left", "right", "top", "foot")


def look_clues(found: Found, weak: Found, rgb: Pixels) -> Floats:
    """(k,) in the order of `LOOK_CLUE_NAMES`; none of them is missing where nothing was found.

    Args:
        found: facings in pixels of the picture, best first.
        weak: half-seen ones too; those of `found` may be among them.
        rgb: (h, w, 3) the picture.
    """
    return clues_of_small(found, weak, small_picture(rgb), rgb.shape[1], rgb.shape[0])


def clues_of_small(found: Found, weak: Found, small: Pixels, width: int, height: int) -> Floats:
    """As `look_clues`, of a picture of which only its `small_picture` was kept."""
    told = _all(found, weak, small, width, height)
    values = np.array([value for _, value in told], np.float64)
    return np.nan_to_num(values, posinf=1e6, neginf=-1e6)


def _all(found: Found, weak: Found, small: Pixels, width: int, height: int) -> Named:
    long_px = max(width, height)
    boxes = found.boxes_px.astype(np.float64) / long_px
    half_seen = weak.boxes_px.astype(np.float64) / long_px
    edge = np.array([width, height]) / long_px
    covered, half = _covered(boxes, small.shape[:2]), _covered(half_seen, small.shape[:2])
    yield from _sizes(boxes, found, weak)
    yield from _perspective(boxes[:_ASKED_MAX], edge)
    yield from _white(covered, half, small, boxes)
    yield from _sides(covered, half, small, boxes, edge)


def small_picture(rgb: Pixels) -> Pixels:
    """Every so manieth pixel: a picture of `MAP_PX`, noise and all."""
    step = max(1, round(max(rgb.shape[:2]) / MAP_PX))
    return np.ascontiguousarray(rgb[step // 2 :: step, step // 2 :: step])


def _covered(boxes: Floats, shape: tuple[int, ...]) -> Mask:
    mask = np.zeros(shape, np.uint8)
    corners = np.rint(boxes * max(shape)).astype(int)
    for x1, y1, x2, y2 in corners.tolist():
        mask[max(y1, 0) : y2, max(x1, 0) : x2] = 1
    return mask


def _sizes(boxes: Floats, found: Found, weak: Found) -> Named:
    wide, tall = (boxes[:, 2] - boxes[:, 0]), (boxes[:, 3] - boxes[:, 1])
    some = len(boxes) > 0
    measures = {
        "short": np.minimum(wide, tall),
        "wide": wide,
        "area_root": np.sqrt(wide * tall),
        "narrow": np.log(np.maximum(wide, 1e-6) / np.maximum(tall, 1e-6)),
    }
    for name, measure in measures.items():
        levels = np.percentile(measure, _SHARES) if some else np.zeros(len(_SHARES))
        for share, level in zip(_SHARES, levels, strict=True):
            yield f"{name}_{share:g}", float(level)
    yield "facings", float(len(boxes))
    yield "half_seen_ratio", float(len(weak.scores) / max(len(boxes), 1))
    scores = np.percentile(found.scores, (10, 25, 50, 75)) if some else np.zeros(4)
    for share, score in zip((10, 25, 50, 75), scores, strict=True):
        yield f"score_{share}", float(score)
    # The surest are the largest where the rest is too far; far from it where light hides some.
    sure = float(np.median(tall[found.scores >= 0.6])) if (found.scores >= 0.6).any() else 0.0
    yield "sure_tall_ratio", sure / float(np.median(tall)) if some else 0.0


def _perspective(boxes: Floats, edge: Floats) -> Named:
    """How rows lean and converge, and how facings shrink along them.

    Of a plane seen `t` aslant (the tangent over the focal length) heights shrink by `t` along the
    photo, widths by twice that, and the rows' lean changes by `t` over the photo's height: three
    figures of one thing, of which two that agree are rarely wrong.
    """
    x = (boxes[:, 0] + boxes[:, 2]) / 2 - edge[0] / 2
    foot = boxes[:, 3] - edge[1] / 2
    wide, tall = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    first, second = _neighbours(boxes)
    along, low = x[second] - x[first], np.minimum(tall[first], tall[second])
    rise = foot[second] - foot[first]
    height = (foot[second] + foot[first]) / 2
    base, change, agreed = _lean(along, rise, low, height)
    level = (foot - base * x) / np.maximum(1 + change * x, 0.2)
    rows = _row_of(level, tall)
    of_tall, spread_tall = _along_rows(np.log(np.maximum(tall, 1e-6)), x, rows)
    of_wide, spread_wide = _along_rows(np.log(np.maximum(wide, 1e-6)), x, rows)
    three = np.array([change, of_tall, of_wide / 2])
    yield "pairs", float(len(first))
    yield "lean", abs(base)
    yield "lean_agreed", agreed
    yield "steepest", _steepest(base, change, foot)
    for name, value in zip(("rows", "tall", "wide"), three, strict=True):
        yield f"aslant_{name}", abs(float(value))
    yield "aslant_middle", abs(float(np.median(three)))
    yield "aslant_mean", abs(float(three.mean()))
    yield "aslant_across", abs(float(np.median(three))) * float(edge[0])
    yield "aslant_apart", float(three.max() - three.min())
    yield "spread_tall", spread_tall
    yield "spread_wide", spread_wide
    # Thirds of the photo: how many facings, and how large, on the one side against the other.
    third = edge[0] / 6
    left, right = x < -third, x > third
    yield "lopsided_count", abs(float(np.log((left.sum() + 1) / (right.sum() + 1))))
    both = left.any() and right.any()
    yield "lopsided_wide", _ratio(wide[left], wide[right]) if both else 0.0
    yield "lopsided_tall", _ratio(tall[left], tall[right]) if both else 0.0


def _ratio(first: Floats, second: Floats) -> float:
    return abs(float(np.log(np.median(first) / max(float(np.median(second)), 1e-6))))


def _steepest(base: float, change: float, foot: Floats) -> float:
    if not len(foot):
        return 0.0
    return float(np.abs(base + change * np.percentile(foot, (5, 95))).max())


def _neighbours(boxes: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Facings that may stand side by side, the left one first."""
    x1, y1, x2, y2 = (boxes[:, number].astype(np.float32) for number in range(4))
    wide, tall = x2 - x1, y2 - y1
    space = x1[None] - x2[:, None]
    near = np.maximum(wide[:, None], wide[None])
    low = np.minimum(tall[:, None], tall[None])
    rise = y2[None] - y2[:, None]
    beside = (space > -0.4 * near) & (space < 1.2 * near) & (np.abs(rise) < 0.75 * low)
    beside &= np.abs((y1[None] - y1[:, None]) - rise) < 0.5 * low
    middle = x1 + x2
    first, second = np.nonzero(beside & (middle[None] > middle[:, None]))
    return first, second


def _lean(along: Floats, rise: Floats, low: Floats, height: Floats) -> tuple[float, float, float]:
    """Lean at the photo's middle, its change with height, and the share of pairs that agree."""
    if len(along) < 6:
        return 0.0, 0.0, 0.0
    some = slice(None, None, max(1, len(along) // _VOTERS_MAX))
    base, change = (tried.ravel()[:, None].astype(np.float32)
                    for tried in np.meshgrid(_BASES, _CHANGES, indexing="ij"))  # fmt: skip
    scaled = (along[some] / (0.2 * low[some])).astype(np.float32)
    off = base * scaled + change * (scaled * height[some].astype(np.float32))
    off -= (rise[some] / (0.2 * low[some])).astype(np.float32)
    votes = np.maximum(0, 1 - off * off).sum(axis=1)
    # Among equals the level one: bricks agree with their diagonals almost as well.
    votes *= 1 - 0.3 * np.abs(base[:, 0]) - 0.05 * np.abs(change[:, 0])
    best = int(votes.argmax())
    line = np.array([base[best, 0], change[best, 0]], np.float64)
    columns = np.stack([along, along * height], axis=1)
    for _ in range(4):
        off_line = (rise - columns @ line) / (0.16 * low)
        weight = np.where(np.abs(off_line) < 1, (1 - off_line**2) ** 2, 0) / low
        normal = columns.T @ (weight[:, None] * columns) + np.eye(2) * 1e-6
        line = np.linalg.solve(normal, columns.T @ (weight * rise))
    agreed = np.abs(rise - columns @ line) < 0.12 * low
    return float(line[0]), float(line[1]), float(agreed.mean())


def _row_of(level: Floats, tall: Floats) -> NDArray[np.int64]:
    """(n,) which facings stand about as high, once the lean is taken out."""
    order = np.argsort(level)
    if not len(order):
        return np.zeros(0, np.int64)
    steps = np.diff(level[order]) > 0.25 * np.median(tall)
    row = np.zeros(len(level), np.int64)
    row[order] = np.concatenate([[0], np.cumsum(steps)])
    return row


def _along_rows(value: Floats, x: Floats, row: NDArray[np.int64]) -> tuple[float, float]:
    """How a value changes with x within rows, packs of other sizes borne; and what is left."""
    count = np.bincount(row) if len(row) else np.zeros(0, np.int64)
    used = count[row] >= _ROW_MIN if len(row) else np.zeros(0, bool)
    if used.sum() < 2 * _ROW_MIN:
        return 0.0, 0.0
    value, x = value[used], x[used]
    row = np.unique(row[used], return_inverse=True)[1]
    slope, weight = 0.0, np.ones(len(x))
    left = value
    for _ in range(6):
        whole = np.bincount(row, weight)
        middle_x = (np.bincount(row, weight * x) / whole)[row]
        middle = (np.bincount(row, weight * value) / whole)[row]
        run = x - middle_x
        slope = float((weight * run * (value - middle)).sum() / ((weight * run**2).sum() + 1e-3))
        left = value - middle - slope * run
        usual = max(1.5 * float(np.median(np.abs(left))), 0.02)
        weight = 1 / (1 + (left / usual) ** 2)
    return slope, float(np.median(np.abs(left)))


def _white(covered: Mask, half: Mask, small: Pixels, boxes: Floats) -> Named:
    """What no facing covers: how much within the shelf, how light, and how white."""
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
    least = small.min(axis=2)
    hull = np.zeros_like(covered)
    if len(boxes):
        ends = boxes[:, [[0, 1], [2, 1], [2, 3], [0, 3]]].reshape(-1, 1, 2) * max(covered.shape)
        cv2.fillConvexPoly(hull, cv2.convexHull(np.rint(ends).astype(np.int32)), 1)
    bare, barer = hull & (1 - covered), hull & (1 - half)
    within = max(float(hull.mean()), 1e-6)
    yield "hull", float(hull.mean())
    yield "covered", float(covered.mean())
    yield "bare_share", float(bare.mean()) / within
    yield "barer_share", float(barer.mean()) / within
    yield "bare_largest", _largest(_opened(bare)) / within
    yield "barer_largest", _largest(_opened(barer)) / within
    for floor in _WHITE:
        white = (least >= floor).astype(np.uint8)
        free = white & (1 - covered)
        yield f"white_{floor}", float(white.mean())
        yield f"white_free_{floor}", float(free.mean())
        yield f"white_free_largest_{floor}", _largest(_opened(free))
        yield f"white_freer_{floor}", float((white & (1 - half)).mean())
        yield f"white_bare_{floor}", float((white & bare).mean()) / within
        yield f"white_covered_{floor}", _share(white, covered)
    rough = _rough(grey)
    washed = ((grey >= 190) & (rough <= 6)).astype(np.uint8)
    yield "washed_free", float((washed & (1 - covered)).mean())
    yield "washed_bare_largest", _largest(washed & bare)
    inside, outside = grey[covered > 0], grey[bare > 0]
    yield "bare_lighter", _mean(outside) - _mean(inside)
    yield "covered_light", _mean(inside)


def _share(what: Mask, where: Mask) -> float:
    return float((what & where).sum() / max(int(where.sum()), 1))


def _mean(values: NDArray[np.uint8]) -> float:
    return float(values.mean()) if len(values) else 0.0


def _opened(mask: Mask) -> Mask:
    """Without joints between packs: places three points wide and more."""
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)


def _largest(mask: Mask) -> float:
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return float(areas.max() / mask.size) if len(areas) else 0.0


def _rough(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.absdiff(grey, np.asarray(cv2.blur(grey, (3, 3)), np.uint8)), np.uint8)


def _sides(covered: Mask, half: Mask, small: Pixels, boxes: Floats, edge: Floats) -> Named:
    """How far each side is from facings, and how many it cuts: the farthest against the others."""
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
    rough = _rough(grey)
    busy = max(float(rough[covered > 0].mean()) if covered.any() else 0.0, 1.0)
    margins = np.array([_margin(turned) for turned in _from_sides(covered)])
    farther = np.array([_margin(turned) for turned in _from_sides(half)])
    touched = _touched(boxes, edge)
    strips = [
        turned[: max(2, round(margin * len(turned)))]
        for turned, margin in zip(_from_sides(rough), margins, strict=True)
    ]
    lights = [
        turned[: max(2, round(margin * len(turned)))]
        for turned, margin in zip(_from_sides(grey), margins, strict=True)
    ]
    order = np.argsort(-margins)
    far, next_ = int(order[0]), int(order[1])
    yield "margin_far", float(margins[far])
    yield "margin_far_half_seen", float(farther[far])
    yield "margin_far_upright", float(far < 2)
    yield "margin_far_rough", float(strips[far].mean()) / busy
    yield "margin_far_quiet", float((strips[far] <= 0.4 * busy).mean())
    yield "margin_far_even", float(lights[far].std())
    yield "margin_far_light", float(lights[far].mean())
    yield "margin_opposite", float(margins[far ^ 1])
    yield "touched_opposite", float(touched[far ^ 1])
    yield "touched_far", float(touched[far])
    yield "margin_next", float(margins[next_])
    yield "margin_last", float(margins[order[-1]])
    yield "margin_beyond", float(margins[far] - margins[far ^ 1])
    yield "cut_against", float(margins[far] * touched[far ^ 1])
    for name, margin, half_margin, share in zip(_SIDES, margins, farther, touched, strict=True):
        if name in ("top", "foot"):
            yield f"margin_{name}", float(margin)
            yield f"margin_{name}_half_seen", float(half_margin)
            yield f"touched_{name}", float(share)
    yield "margin_aside", float(margins[:2].max())
    yield "margin_aside_half_seen", float(farther[:2].max())
    aside = int(margins[:2].argmax())
    yield "margin_aside_quiet", float((strips[aside] <= 0.4 * busy).mean())
    yield "touched_across", float(touched[aside ^ 1])
    yield "touched_all", float(touched.mean())
    yield "cut_size", _cut_size(boxes, edge, far ^ 1)


def _from_sides(mask: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], ...]:
    """The same map, its first lines along the left, the right, the top and the foot."""
    return mask.T, mask.T[::-1], mask, mask[::-1]


def _margin(lines: Mask) -> float:
    """The share of the way across before facings begin; 1: there are none."""
    reached = lines.mean(axis=1) > _REACHED
    return float(np.argmax(reached)) / len(reached) if reached.any() else 1.0


def _touched(boxes: Floats, edge: Floats) -> Floats:
    """(4,) the share of each side along which facings are cut."""
    out = np.zeros(4)
    if not len(boxes):
        return out
    ends = boxes[:, 0], edge[0] - boxes[:, 2], boxes[:, 1], edge[1] - boxes[:, 3]
    for side, away in enumerate(ends):
        axis = 1 if side < 2 else 0
        cut = boxes[away < _TOUCHES]
        out[side] = min(1.0, float((cut[:, axis + 2] - cut[:, axis]).sum() / edge[axis]))
    return out


def _cut_size(boxes: Floats, edge: Floats, side: int) -> float:
    """How much of their usual size the facings that a side cuts still have; 1: it cuts none."""
    ends = (boxes[:, 0], edge[0] - boxes[:, 2], boxes[:, 1], edge[1] - boxes[:, 3])[side]
    axis = 0 if side < 2 else 1
    size = boxes[:, axis + 2] - boxes[:, axis]
    cut = ends < _TOUCHES
    if not cut.any() or cut.all():
        return 1.0
    return float(np.median(size[cut]) / max(float(np.median(size[~cut])), 1e-6))


def _names() -> tuple[str, ...]:
    """Asked of the functions themselves: one list less to keep in step."""
    told = _all(Found.nothing(), Found.nothing(), np.zeros((64, 64, 3), np.uint8), 64, 64)
    return tuple(name for name, _ in told)


LOOK_CLUE_NAMES: Final = _names()
