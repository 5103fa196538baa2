"""Figures of a photo from what the detector saw on it, some 2 ms of work. Judges nothing.

How large facings are, and how many are only half seen (a photo from too far away); how their size
changes over the photo (a shelf seen from its side); which sides of the photo no facing reaches
while others are cut, and what is there (a camera that points past the bay).

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
"""Long side of the maps of what is covered, light and rough."""
_QUIET: Final = 0.4
"""A place that changes by less than this share of what packs do, from pixel to pixel, is plain."""
_ROUGH_MAX: Final = 3.0
"""Rougher than the packs themselves by more: hardly anything is covered, and it is not to outweigh
all else."""
_TOUCHES: Final = 0.008
"""A facing that ends so near the photo's edge is cut by it."""
_STRIPS: Final = (0.06, 0.11, 0.18)
"""Of the way across: strips along a side. A bay of which 11 % is outside is of less use."""
_HUES: Final = 1
"""Of `_STRIPS`, the one whose colours are asked for."""
_BARE: Final = (0.03, 0.08, 0.15)
"""A margin goes as far as facings cover less than this of it: a stray box, as one that a sign or a
lamp is taken for, does not end it."""
_PLAIN: Final = (0.3, 0.5)
"""As far as it is less rough than packs, by these shares."""
_MARGIN: Final = 1
"""Of `_BARE`, the one that a side's margin is."""
_STEP_MAX: Final = 0.35
_STEP_REACH: Final = 4
"""Where facings begin: the sharpest step of cover in so much of the way across, between so many
lines of the map on either side of it."""


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
    edge = np.array([width, height]) / long_px
    covered = _covered(boxes, small.shape[:2])
    yield from _sizes(boxes, found, weak)
    yield "covered", float(np.count_nonzero(covered)) / covered.size
    yield from _tapers(boxes)
    yield from _sides(covered, small, _touched(boxes, edge))


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
    measures = np.stack([np.minimum(wide, tall), np.sqrt(wide * tall)])
    short, area = _levels(measures, (50.0, 75.0, 90.0))
    # Logarithms: twice as far is the same step wherever it begins.
    yield "short_50", _log(short[0])
    yield "short_75", _log(short[1])
    yield "area_root_50", _log(area[0])
    yield "area_root_90", _log(area[2])
    yield "facings", _log(len(boxes))
    yield "half_seen_ratio", _log(len(weak.scores) / max(len(boxes), 1))
    scores = _levels(found.scores[None].astype(np.float64), (50.0,))
    yield "score_50", float(scores[0, 0])


def _log(value: float) -> float:
    return float(np.log(max(value, 1e-3)))


def _levels(measures: Floats, shares: tuple[float, ...]) -> Floats:
    """(m, k) of (m, n) measures those below which these shares of the n lie; zeros without any."""
    count = measures.shape[1]
    if not count:
        return np.zeros((len(measures), len(shares)))
    places = [min(count - 1, int(share * count / 100)) for share in shares]
    return np.asarray(np.sort(measures, axis=1)[:, places], np.float64)


def _tapers(boxes: Floats) -> Named:
    """How facings grow over the photo: by which power of e from one side to the other."""
    names = ("tall_across", "tall_down", "wide_across", "wide_down")
    if len(boxes) < 4:
        yield from ((name, 0.0) for name in (*names, "tall_spread", "narrow"))
        return
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    size = np.log(np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-3))
    columns = np.column_stack([middle - middle.mean(axis=0), np.ones(len(boxes))])
    held = columns.T @ columns + np.diag([1e-3, 1e-3, 0.0])
    slopes = np.linalg.solve(held, columns.T @ size)
    left = size - columns @ slopes
    for name, slope in zip(names, np.abs(slopes[:2, ::-1]).T.ravel(), strict=True):
        yield name, float(slope)
    yield "tall_spread", float(left[:, 1].std())
    yield "narrow", float(np.median(size[:, 1] - size[:, 0]))


def _sides(covered: Mask, small: Pixels, touched: Floats) -> Named:
    """What is along the barest side and along the one with the widest margin, and opposite them."""
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
    rough = np.asarray(cv2.absdiff(grey, np.asarray(cv2.blur(grey, (3, 3)), np.uint8)), np.uint8)
    busy = max(cv2.mean(rough, covered)[0], 1.0)
    hues = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.uint8)[..., 1:]
    sides = [
        dict(_side(one, light, uneven, colours, busy, float(cut)))
        for one, light, uneven, colours, cut in zip(
            _from_sides(covered), _from_sides(grey), _from_sides(rough), _from_sides(hues),
            touched, strict=True,
        )
    ]  # fmt: skip
    strip, margin = f"covered_{_STRIPS[_HUES]:g}", f"bare_{_BARE[_MARGIN]:g}"
    barest = int(np.argmin([side[strip] for side in sides]))
    far = int(np.argmax([side[margin] for side in sides]))
    for name, chosen in (("barest", barest), ("far", far)):
        for number, which in enumerate(("left", "right", "top", "foot")):
            yield f"{name}_is_{which}", float(chosen == number)
        for clue, value in sides[chosen].items():
            yield f"{name}_{clue}", value
        for clue in ("cut", strip, margin, "step"):
            yield f"against_{name}_{clue}", sides[chosen ^ 1][clue]
    margins = sorted(side[margin] for side in sides)
    yield "margin_next", margins[-2]
    yield "cut_against", margins[-1] * sides[far ^ 1]["cut"]


def _side(
    covered: Mask, light: Mask, rough: Mask, hues: Mask, busy: float, cut: float
) -> Named:  # fmt: skip
    """One side, of maps whose first lines lie along it."""
    count = len(covered)
    cover, uneven = covered.mean(axis=1), rough.mean(axis=1) / busy
    plain = rough <= _QUIET * busy
    yield "cut", cut
    for share in _STRIPS:
        lines = max(2, round(share * count))
        yield f"covered_{share:g}", float(cover[:lines].mean())
        yield f"rough_{share:g}", min(float(uneven[:lines].mean()), _ROUGH_MAX)
        yield f"plain_{share:g}", float(plain[:lines].mean())
        yield f"light_{share:g}", float(light[:lines].std())
    margins = [_reaches(cover, share) for share in _BARE]
    for share, margin in zip(_BARE, margins, strict=True):
        yield f"bare_{share:g}", margin
    for share in _PLAIN:
        yield f"calm_{share:g}", _reaches(uneven, share)
    for name, share in (("strip", _STRIPS[_HUES]), ("margin", margins[_MARGIN])):
        there = hues[: max(2, round(share * count))].reshape(-1, 2)
        red, blue = there.std(axis=0)
        yield f"{name}_red_green", float(red)
        yield f"{name}_blue_yellow", float(blue)
    inside = max(2, round(margins[_MARGIN] * count))
    yield "margin_light", float(light[:inside].std())
    yield "margin_rough", min(float(uneven[:inside].mean()), _ROUGH_MAX)
    yield from _step(cover, uneven)


def _reaches(profile: Floats, share: float) -> float:
    """How far from the side the mean of the lines stays at most this; 0: nowhere."""
    below = np.flatnonzero(np.cumsum(profile) <= share * np.arange(1, len(profile) + 1))
    return float(below[-1] + 1) / len(profile) if len(below) else 0.0


def _step(cover: Floats, uneven: Floats) -> Named:
    """Where facings begin most sharply, how sharply, and what is before."""
    sums = np.concatenate([[0.0], np.cumsum(cover)])
    places = np.arange(_STEP_REACH, max(_STEP_REACH + 2, int(_STEP_MAX * len(cover))))
    places = places[places <= len(cover) - 1]
    if not len(places):
        places = np.array([1])
    after = np.minimum(places + _STEP_REACH, len(cover))
    before = np.maximum(places - _STEP_REACH, 0)
    rise = (sums[after] - sums[places]) / np.maximum(after - places, 1)
    rise -= (sums[places] - sums[before]) / np.maximum(places - before, 1)
    best = int(np.argmax(rise))
    place = int(places[best])
    yield "step", float(rise[best])
    yield "step_at", place / len(cover)
    yield "step_covered", float(sums[place] / place)
    yield "step_rough", min(float(uneven[:place].mean()), _ROUGH_MAX)


def _from_sides(mask: Mask) -> tuple[Mask, ...]:
    """The same map, its first lines along the left, the right, the top and the foot."""
    turned = mask.swapaxes(0, 1)
    return turned, turned[::-1], mask, mask[::-1]


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


def _names() -> tuple[str, ...]:
    """Asked of the functions themselves: one list less to keep in step."""
    told = _all(Found.nothing(), Found.nothing(), np.zeros((64, 64, 3), np.uint8), 64, 64)
    return tuple(name for name, _ in told)


LOOK_CLUE_NAMES: Final = _names()
