"""Which bay a photo shows, by how it lies over the pictures that are known of each. Pure.

What is known of a bay: the reference photo of its planogram, the last photos of it, or its
planogram drawn from the products' pictures. A ranked answer with a confidence; where none stands
out, the answer is that it is not sure.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from planograms.bay_answers import NOTHING, Candidate, SeenBay
from planograms.drawn_reference import draw_reference
from planograms.model import Planogram
from planograms.pictures import Pixels, unpacked
from vision.geometry import boxes_of
from vision.register import Features, features, register

SURE: Final = 0.9
"""From this confidence on it is one tap to confirm; below it the clerk chooses from a list."""
_BY_CHANCE: Final = 15.0
"""Key points that agree on a plane between photos of different bays, at most as a rule."""
_NOBODY: Final = 45.0
"""So many points a bay must have to be as probable as none that is known."""
_STEEP: Final = 5
"""Bays that share goods share points: the one with half as many more is it at 9 to 1."""
_SHORT_LIST: Final = 5
"""Bays that are looked at closely; the others have too few points that resemble any."""
_EVERY: Final = 3
"""Of the photo's points, for the short list."""
_RATIO: Final = 0.8


def pictures_of(planogram: Planogram) -> tuple[Pixels, ...]:
    """What a planogram shows of its bay: its reference photo, else it is drawn; none without both.

    Raises:
        BadPlanogram: a picture in it is damaged.
    """
    if planogram.reference is not None:
        return (unpacked(planogram.reference.picture, f"planogram {planogram.id}: reference"),)
    shown = {
        product.id: unpacked(product.pictures[0], f"planogram {planogram.id}: {product.id}")
        for product in planogram.products
        if product.pictures
    }
    order = planogram.in_order
    drawn = draw_reference(
        boxes_of([position.box_xyxy for position in order]),
        [shown.get(position.product) for position in order],
        width=planogram.width, height=planogram.height,
    )  # fmt: skip
    return () if drawn is None else (drawn.rgb,)


def recognised(photo: Features, known: Mapping[str, Sequence[Features]]) -> SeenBay:
    """Rank the bays by how many key points of the photo agree with what is known of each.

    Args:
        photo: of the photo.
        known: by bay, of its pictures.
    """
    return ranked(agreement(photo, known))


def agreement(photo: Features, known: Mapping[str, Sequence[Features]]) -> dict[str, float]:
    """By bay the key points of the photo that agree with its pictures; 0 off the short list."""
    alike = {
        bay: max((_resembling(one, photo) for one in pictures), default=0)
        for bay, pictures in known.items()
    }
    close = sorted(alike, key=lambda bay: (-alike[bay], bay))[:_SHORT_LIST]
    return {
        bay: max((_agreeing(one, photo) for one in known[bay]), default=0.0)
        if bay in close
        else 0.0
        for bay in known
    }


def ranked(points: Mapping[str, float]) -> SeenBay:
    """The bays by their points, with confidences that leave room for a bay that nobody knows."""
    weights = {bay: max(0.0, n - _BY_CHANCE) ** _STEEP for bay, n in points.items()}
    total = (_NOBODY - _BY_CHANCE) ** _STEEP + sum(weights.values())
    order = sorted(points, key=lambda bay: (-points[bay], bay))
    candidates = tuple(
        Candidate(bay, round(weights[bay] / total, 4)) for bay in order if points[bay] > 0
    )
    best = candidates[0] if candidates else None
    sure = best is not None and best.confidence >= SURE
    return SeenBay(
        by="look" if candidates else "nothing", bay=best.bay if best and sure else None,
        candidates=candidates,
    )  # fmt: skip


def _resembling(reference: Features, photo: Features) -> int:
    """How many of the photo's points resemble one of the picture's clearly more than the next."""
    if len(reference.looks) < 2:
        return 0
    products = np.partition(photo.looks[::_EVERY] @ reference.looks.T, -2, axis=1)[:, -2:]
    away = np.sqrt(np.maximum(1 - products, 0.0))
    return int(np.count_nonzero(away[:, 1] < _RATIO * away[:, 0]))


def _agreeing(reference: Features, photo: Features) -> float:
    """Key points that agree on one plane; few where that plane could be no photo of the bay."""
    found = register(reference, photo)
    return float(found.inliers if found.found else min(found.inliers, int(_BY_CHANCE)))


def features_of(rgb: Pixels) -> Features:
    """The key points of a photo, as `recognised` wants them."""
    return features(rgb)


def by_codes(bays: Sequence[str], known: Sequence[str]) -> SeenBay:
    """What the codes on the shelf's edge say: the one in the middle, unless several are seen.

    Args:
        bays: whose codes are seen, the one nearest to the middle first.
        known: the bays of the shop; the code of a bay that is gone says nothing.
    """
    seen = [bay for bay in bays if bay in known]
    if not seen:
        return NOTHING
    share = 0.995 if len(seen) == 1 else 0.7
    rest = (1 - share) / max(1, len(seen) - 1)
    return SeenBay(
        by="code", bay=seen[0] if len(seen) == 1 else None,
        candidates=tuple(
            Candidate(bay, round(share if at == 0 else rest, 4)) for at, bay in enumerate(seen)
        ),
    )  # fmt: skip
