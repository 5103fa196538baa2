"""The second answer to a photo: what its price tags say. Pure; reads no tag and stores nothing.

It comes seconds after the first and changes nothing of it: a checklist of its own, and one fact.
"""

from collections.abc import Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from planograms.checklist import checklist_of
from planograms.findings import Box
from planograms.judge import Judgement
from planograms.model import Planogram
from planograms.order import in_walking_order
from planograms.prices import prices_of
from planograms.scores import Score
from storepulse.checklists import Checklist
from storepulse.facts import Fact

METHOD: Final = "planograms.prices/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondAnswer:
    """What the tags of one photo say of its plan's prices."""

    checklist: Checklist
    """Of wrong prices alone; with no item where none is wrong."""
    compliance: Score
    fact: Fact


def has_prices(planogram: Planogram) -> bool:
    """Whether there is anything to ask the tags."""
    return any(product.price is not None for product in planogram.products)


def places_of_tags(judgement: Judgement, planogram: Planogram) -> tuple[Box, ...]:
    """Where products with a planned price stand on the photo: their tags hang there."""
    priced = {product.sku for product in planogram.products if product.price is not None}
    return tuple(
        state.box_xyxy_px
        for state in judgement.positions
        if state.sku in priced and state.status == "ok" and state.box_xyxy_px is not None
    )


def second_answer(
    judgement: Judgement,
    planogram: Planogram,
    *,
    shop: str,
    photo: str,
    taken_at: datetime,
    source: str,
    resting: Set[str] = frozenset(),
) -> SecondAnswer:
    """Compare the tags that were read with the plan.

    Args:
        judgement: with `tags` in its observation.
        planogram: with one position for each facing, as it was judged by, and its bay.
        photo: UUID of the photo; ids derive from it, so that a repeat says the same.
        source: the node's path.
        resting: SKUs of which nothing is asked today.
    """
    found = prices_of(judgement, planogram)
    wrong = in_walking_order(planogram, judgement.positions, found.wrong)
    checklist = checklist_of(
        replace(judgement, findings=wrong, method=METHOD), planogram, shop=shop, photo=photo,
        made_at=taken_at, resting=resting,
    )  # fmt: skip
    score = found.compliance
    return SecondAnswer(
        checklist=replace(checklist, id=str(uuid5(NAMESPACE_URL, f"{checklist.id}:prices"))),
        compliance=score,
        fact=Fact(
            id=f"{photo}:price_compliance", shop=shop, metric="price_compliance", start=taken_at,
            end=taken_at, value=score.value, low=score.low, high=score.high, n=score.n,
            coverage=score.coverage,
            dims={
                "bay": planogram.bay, "planogram": planogram.id,
                "planogram_version": str(planogram.version), "planned": str(score.planned),
            },
            method=METHOD, source=source,
        ),
    )  # fmt: skip
