"""Which facings a price tag speaks for: those above it that no other tag is nearer to. Pure.

Tags hang under their product, at its left end, its middle or anywhere between: chains differ. So a
facing goes to the nearest tag of its shelf's edge, and what stands far from every tag to none.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.observation import Box, Facing

UNDER_MAX: Final = 0.6
"""How far under a facing's foot its tag may be, in heights of the facing."""
OVER_MAX: Final = 0.35
"""How far over its foot: tags in front of goods on a sloped shelf."""
ASIDE_MAX: Final = 2.0
"""How far aside of a facing its tag may be, in widths of the facing."""


def facings_of(tags: Sequence[Box], facings: Sequence[Facing]) -> list[tuple[int, ...]]:
    """For each tag the facings that it speaks for, left to right; empty where none stand above.

    Args:
        tags: boxes of tags, in the pixels of `facings`.
    """
    own: list[list[int]] = [[] for _ in tags]
    if not tags:
        return []
    boxes = np.array(tags, np.float64)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    for at, facing in enumerate(facings):
        nearest = _nearest(facing.box_xyxy_px, middle)
        if nearest is not None:
            own[nearest].append(at)
    return [tuple(sorted(one, key=lambda at: facings[at].box_xyxy_px[0])) for one in own]


def _nearest(facing: Box, middle: NDArray[np.float64]) -> int | None:
    x1, y1, x2, y2 = facing
    tall, wide = y2 - y1, x2 - x1
    under = middle[:, 1] - y2
    aside = np.abs(middle[:, 0] - (x1 + x2) / 2) - wide / 2
    fits = (under >= -OVER_MAX * tall) & (under <= UNDER_MAX * tall) & (aside <= ASIDE_MAX * wide)
    if not fits.any():
        return None
    # Over a tag's own shelf first: a row lower, another edge begins.
    cost = np.where(fits, aside.clip(0) + 0.5 * np.abs(under), np.inf)
    return int(cost.argmin())
