"""Which bay a photo shows, by how it lies over the pictures that are known of each. Pure.

What is known of a bay: the reference photo of its planogram, the last photos of it, or its
planogram drawn from the products' pictures. A ranked answer with a confidence; where none stands
out, the answer is that it is not sure.
"""

from collections.abc import Mapping, Sequence
from math import exp
from typing import Final

from planograms.bay_answers import NOTHING, Candidate, SeenBay
from planograms.drawn_reference import draw_reference
from planograms.model import Planogram
from planograms.pictures import Pixels, unpacked
from vision.geometry import boxes_of
from vision.register import Features, features, register

SURE: Final = 0.9
"""From this confidence on it is one tap to confirm; below it the clerk chooses from a list."""
_TEMPERATURE: Final = 8.0
_NOBODY: Final = 30.0
"""Key points that agree by chance between photos of different bays: a bay must stand out above."""
_POINTS_MAX: Final = 200.0


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
    points = {
        bay: max((_agreeing(one, photo) for one in pictures), default=0.0)
        for bay, pictures in known.items()
    }
    weights = {
        bay: exp((min(n, _POINTS_MAX) - _NOBODY) / _TEMPERATURE) for bay, n in points.items()
    }
    total = 1.0 + sum(weights.values())
    ranked = sorted(points, key=lambda bay: (-points[bay], bay))
    candidates = tuple(
        Candidate(bay, round(weights[bay] / total, 4)) for bay in ranked if points[bay] > 0
    )
    best = candidates[0] if candidates else None
    sure = best is not None and best.confidence >= SURE
    return SeenBay(
        by="look" if candidates else "nothing", bay=best.bay if best and sure else None,
        candidates=candidates,
    )  # fmt: skip


def _agreeing(reference: Features, photo: Features) -> float:
    """Key points that agree on one plane; few where that plane could be no photo of the bay."""
    found = register(reference, photo)
    return float(found.inliers if found.found else min(found.inliers, int(_NOBODY / 2)))


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
