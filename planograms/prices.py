"""Prices on the shelf against planned ones. Pure; reads no tag and opens no photo.

A wrong price is claimed with care, for a tag can be read badly and can belong to the neighbour: of
a planned product's tags none may agree by any of its readings, and the price may not be that of
another product beside it. What has no tag in view is not known, never wrong.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal
from itertools import pairwise
from typing import Final

import numpy as np

from planograms.findings import Finding, PositionState
from planograms.judge import Judgement
from planograms.model import Planogram, Product
from planograms.order import in_walking_order
from planograms.scores import Score, share
from vision.geometry import boxes_of, iou
from vision.observation import Facing, Tag

BELONGS: Final = 0.85
"""How often a tag under a product speaks for it: assumed, not measured. What is told is this times
how sure the reading is."""
SAME_MIN: Final = 0.5
"""Overlap (IoU) of a position's place with a facing from which they are the same thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What the tags of a photo say of the planned prices."""

    wrong: tuple[Finding, ...]
    compliance: Score
    """Planned products with a price, in their places, whose tag asks for it."""


def prices_of(judgement: Judgement, planogram: Planogram) -> Prices:
    """Compare planned prices with the tags that were read.

    Args:
        judgement: of a photo whose observation has `tags`; without them nothing is known.
        planogram: the plan that it was judged against.
    """
    tags = judgement.observation.tags or ()
    facings = judgement.observation.facings
    priced = [product for product in planogram.products if product.price is not None]
    standing = _standing(judgement.positions, facings)
    near = _neighbours(planogram)
    wrong: list[Finding] = []
    rights: list[float | None] = []
    for product in priced:
        own = _under(tags, standing.get(product.sku, ()))
        beside = [other for other in priced if other.id in near[product.id]]
        against = [tag for tag in own if not _asks_for(tag, [product, *beside])]
        agreed = [tag for tag in own if _asks_for(tag, [product])]
        if agreed:
            rights.append(max(tag.score for tag in agreed))
        elif against:
            tag = max(against, key=lambda tag: tag.score)
            confidence = round(BELONGS * tag.score, 3)
            rights.append(1 - confidence)
            at = _position_over(tag, product, judgement.positions)
            wrong.append(
                Finding(
                    kind="wrong_price",
                    box_xyxy_px=tag.box_xyxy_px,
                    confidence=confidence,
                    sku=product.sku,
                    position=at,
                )
            )
        else:
            rights.append(None)
    return Prices(wrong=tuple(wrong), compliance=share(rights))


def with_wrong(judgement: Judgement, planogram: Planogram, wrong: Sequence[Finding]) -> Judgement:
    """The judgement with wrong prices among its findings, in walking order."""
    findings = (*judgement.findings, *wrong)
    return replace(judgement, findings=in_walking_order(planogram, judgement.positions, findings))


def agrees(readings: Iterable[Decimal], planned: float) -> bool:
    """Whether print that can be read so can mean a planned price.

    Small cents are what readers miss most: a whole number agrees with every price of that many
    whole units.
    """
    price = Decimal(str(planned)).quantize(Decimal("0.01"))
    return any(reading in (price, price.to_integral_value(ROUND_DOWN)) for reading in readings)


def _asks_for(tag: Tag, products: Sequence[Product]) -> bool:
    readings = tag.readings or (tag.price,)
    return any(
        product.price is not None and agrees(readings, product.price) for product in products
    )


def _standing(states: Sequence[PositionState], facings: Sequence[Facing]) -> dict[str, set[int]]:
    """SKU -> indices of the facings that stand in its places, where it does stand there."""
    out: dict[str, set[int]] = defaultdict(set)
    kept = [(state.sku, state.box_xyxy_px) for state in states if state.status == "ok"]
    placed = [(sku, box) for sku, box in kept if box is not None]
    same = iou(boxes_of([box for _, box in placed]), boxes_of([one.box_xyxy_px for one in facings]))
    for (sku, _), shares in zip(placed, same, strict=True):
        out[sku] |= set(np.flatnonzero(shares >= SAME_MIN).tolist())
    return out


def _under(tags: Sequence[Tag], own: Iterable[int]) -> list[Tag]:
    """The tags that speak for a product's facings and for more of them than of any other's."""
    mine = set(own)
    return [tag for tag in tags if 2 * len(mine & set(tag.facings)) > len(tag.facings)]


def _neighbours(planogram: Planogram) -> Mapping[str, set[str]]:
    """Product -> products next to it on a shelf: whose tag may hang under it."""
    near: dict[str, set[str]] = defaultdict(set)
    order = planogram.in_order
    for left, right in pairwise(order):
        if left.row == right.row and left.product != right.product:
            near[left.product].add(right.product)
            near[right.product].add(left.product)
    return near


def _position_over(tag: Tag, product: Product, states: Sequence[PositionState]) -> str | None:
    """The product's position nearest to the tag."""
    middle = (tag.box_xyxy_px[0] + tag.box_xyxy_px[2]) / 2
    own = [
        (abs((state.box_xyxy_px[0] + state.box_xyxy_px[2]) / 2 - middle), state.id)
        for state in states
        if state.sku == product.sku and state.status == "ok" and state.box_xyxy_px is not None
    ]
    return min(own)[1] if own else None
