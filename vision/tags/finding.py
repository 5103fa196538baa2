"""From the lines of text between the products to price tags. Reads with the reader it is given.

Tags hang on the shelf's edge, where no product stands: what lies on a facing is the pack's own
printing and is not read. Of the rest, each number that can be a price and is about as tall as the
photo's other prices is one tag, with the lines around it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.observation import Box, Row
from vision.tags.lines import TextLine, Wanted
from vision.tags.prices import Price, read_price

ON_A_PACK: Final = 0.5
"""Share of a line on one facing from which it is the pack's printing. Tags hang over a facing's
foot by less (docs/tags.md)."""
TALL_MAX: Final = 0.5
"""Height of a line over the usual height of the facings, above which it is a poster."""
READ_MAX: Final = 100
"""Lines read of one part of a photo. A dense shelf's edge has 40."""
EDGE_OVER: Final = 0.2
EDGE_UNDER: Final = 0.9
"""How far over and under the foot of a row its shelf's edge is looked at, in heights of its
facings. Rails are a tenth to a third of a facing high and hang a little low."""
RIVAL_MIN: Final = 0.75
"""Height of a number over that of the tallest beside it, from which it is a price of its own."""
LIKE_MIN: Final = 0.55
LIKE_MAX: Final = 1.9
"""Height of a price over the median one of the photo: unit prices are lower, signs are taller."""


@dataclass(frozen=True, slots=True)
class Found:
    """One price tag: where it is, what it asks for, what else it says."""

    box_xyxy_px: Box
    price: Price
    lines: tuple[TextLine, ...]


def shelf_edges(rows: Sequence[Row], width: int, height: int) -> list[Box]:
    """Where tags hang: a band under the foot of each row, those that overlap joined; from the top.

    Args:
        rows: of the photo, in its pixels.
        width: of the photo.
        height: of the photo.
    """
    bands: list[Box] = []
    for row in sorted(rows, key=lambda row: min(row.line_xyxy_px[1], row.line_xyxy_px[3])):
        x1, y1, x2, y2 = row.line_xyxy_px
        # A tag hangs over the row's ends, and the line may run on as it slopes.
        aside = 0.5 * row.height_px
        slope = (y2 - y1) / max(x2 - x1, 1.0)
        left, right = max(0.0, x1 - aside), min(float(width), x2 + aside)
        ends = (y1 + slope * (left - x1), y1 + slope * (right - x1))
        top = max(0.0, min(ends) - EDGE_OVER * row.height_px)
        foot = min(float(height), max(ends) + EDGE_UNDER * row.height_px)
        if foot - top < 8 or right - left < 8:
            continue
        here = (left, top, right, foot)
        joined = [band for band in bands if _overlap(band, here)]
        bands = [band for band in bands if band not in joined] + [_union([*joined, here])]
    return sorted(bands, key=lambda band: band[1])


def _overlap(one: Box, other: Box) -> bool:
    return min(one[2], other[2]) > max(one[0], other[0]) and min(one[3], other[3]) > max(
        one[1], other[1]
    )


def between_products(facings: NDArray[np.float64], near: Sequence[Box]) -> Wanted:
    """Which places of text can be part of a tag, those near given boxes first, then from left."""
    usual = float(np.median(facings[:, 3] - facings[:, 1])) if len(facings) else np.inf
    targets = np.array(near, np.float64).reshape(-1, 4)

    def wanted(places: Sequence[Box]) -> list[int]:
        kept = [
            at
            for at, place in enumerate(places)
            if place[3] - place[1] <= TALL_MAX * usual
            and (not len(facings) or _share_on(place, facings) < ON_A_PACK)
        ]
        # From left to right among those that can hang under a target: so a tag's lines come one
        # after another, and little is lost where the time ends.
        reach = EDGE_UNDER * usual if len(facings) else 0.0
        return sorted(
            kept,
            key=lambda at: (max(0.0, _distance(places[at], targets) - reach), places[at][0]),
        )[:READ_MAX]

    return wanted


def group_tags(lines: Sequence[TextLine]) -> list[Found]:
    """Lines -> tags, left to right. The tallest numbers take the lines around them first."""
    left = sorted(lines, key=lambda line: -line.height_px)
    tags: list[Found] = []
    while left:
        price = read_price(left)
        if price is None:
            break
        around = [
            line
            for line in left
            if line is price.line or (_stands_beside(line, price.line) and not _rivals(line, price))
        ]
        own = read_price(around) or price
        tags.append(Found(_union([line.box_xyxy_px for line in around]), own, tuple(around)))
        left = [line for line in left if line not in around]
    if not tags:
        return []
    usual = float(np.median([tag.price.line.height_px for tag in tags]))
    alike = [tag for tag in tags if LIKE_MIN <= tag.price.line.height_px / usual <= LIKE_MAX]
    return sorted(alike, key=lambda tag: tag.box_xyxy_px[:2])


def beside(line: TextLine, place: Box) -> bool:
    """Whether a place of text may be of one tag with a line: the middle of either lies in a window
    of tag size around the other."""
    other = TextLine("", 0.0, place)
    return _stands_beside(line, other) or _stands_beside(other, line)


def _stands_beside(line: TextLine, price: TextLine) -> bool:
    """Whether a line stands on the tag of a price: its middle is in a window of tag size."""
    x1, y1, x2, y2 = price.box_xyxy_px
    tall = y2 - y1
    x = (line.box_xyxy_px[0] + line.box_xyxy_px[2]) / 2
    y = (line.box_xyxy_px[1] + line.box_xyxy_px[3]) / 2
    return x1 - 2.5 * tall <= x <= x2 + 1.5 * tall and y1 - 1.5 * tall <= y <= y2 + 1.2 * tall


def _rivals(line: TextLine, price: Price) -> bool:
    """Whether a line is another tag's price: a number as tall as this one."""
    return line.height_px >= RIVAL_MIN * price.line.height_px and read_price([line]) is not None


def _union(boxes: Sequence[Box]) -> Box:
    edges = np.array(boxes)
    x1, y1 = edges[:, :2].min(axis=0).tolist()
    x2, y2 = edges[:, 2:].max(axis=0).tolist()
    return x1, y1, x2, y2


def _share_on(place: Box, facings: NDArray[np.float64]) -> float:
    wide = np.minimum(place[2], facings[:, 2]) - np.maximum(place[0], facings[:, 0])
    tall = np.minimum(place[3], facings[:, 3]) - np.maximum(place[1], facings[:, 1])
    area = max((place[2] - place[0]) * (place[3] - place[1]), 1e-9)
    return float((wide.clip(0) * tall.clip(0)).max(initial=0.0)) / area


def _distance(place: Box, targets: NDArray[np.float64]) -> float:
    """Gap between a place and the nearest target; 0 where there are none."""
    if not len(targets):
        return 0.0
    wide = np.maximum(targets[:, 0] - place[2], place[0] - targets[:, 2]).clip(0)
    tall = np.maximum(targets[:, 1] - place[3], place[1] - targets[:, 3]).clip(0)
    return float(np.hypot(wide, tall).min())
