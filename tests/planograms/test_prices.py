"""Planned prices against the tags under the products."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planograms.findings import PositionState
from planograms.judge import Judgement, judge_observation, prepare
from planograms.model import Planogram
from planograms.prices import agrees, prices_of, with_wrong
from tests.planograms.drawn import SECOND, observed, photo_of, photographed, planogram, shelf
from vision.observation import Facing, Tag

PLAN = planogram("r0-p05")


def judged() -> Judgement:
    return judge_observation(photo_of(photographed(shelf())), observed(plane=SECOND), prepare(PLAN))


JUDGED = judged()
FIRST = next(state for state in JUDGED.positions if state.status == "ok")


def priced(price: float, *, others: float | None = None) -> Planogram:
    """The plan with a price for the first standing product, and one for all others."""
    return replace(
        PLAN,
        products=tuple(
            replace(product, price=price if product.sku == FIRST.sku else others)
            for product in PLAN.products
        ),
    )


def facings_of(sku: str) -> tuple[int, ...]:
    def same(state: PositionState, facing: Facing) -> bool:
        box = state.box_xyxy_px
        return box is not None and all(
            abs(a - b) < 12 for a, b in zip(box, facing.box_xyxy_px, strict=True)
        )

    return tuple(
        at
        for at, facing in enumerate(JUDGED.observation.facings)
        if any(state.sku == sku and same(state, facing) for state in JUDGED.positions)
    )


def tagged(*tags: Tag) -> Judgement:
    return replace(JUDGED, observation=replace(JUDGED.observation, tags=tags))


def tag(price: str, *, sku: str = FIRST.sku, readings: tuple[str, ...] = ()) -> Tag:
    return Tag(
        (10, 10, 50, 30), Decimal(price), 0.95,
        tuple(Decimal(one) for one in readings or (price,)), facings=facings_of(sku),
    )  # fmt: skip


def test_a_tag_that_asks_for_another_price_is_a_finding_at_the_tag() -> None:
    (wrong,) = prices_of(tagged(tag("5.49")), priced(4.99)).wrong

    assert (wrong.kind, wrong.sku, wrong.box_xyxy_px) == (
        "wrong_price",
        FIRST.sku,
        (10, 10, 50, 30),
    )
    assert wrong.position is not None
    assert 0.7 < wrong.confidence < 0.9


def test_a_price_as_planned_is_no_finding_and_counts_as_kept() -> None:
    prices = prices_of(tagged(tag("4.99")), priced(4.99))

    assert prices.wrong == ()
    assert prices.compliance.value is not None
    assert prices.compliance.value > 0.9


def test_what_the_print_leaves_open_is_not_called_wrong() -> None:
    assert prices_of(tagged(tag("499", readings=("499", "4.99"))), priced(4.99)).wrong == ()


def test_cents_that_were_missed_are_not_called_wrong() -> None:
    assert prices_of(tagged(tag("27")), priced(27.90)).wrong == ()


def test_a_neighbours_tag_is_not_called_wrong() -> None:
    assert prices_of(tagged(tag("5.49")), priced(4.99, others=5.49)).wrong == ()


def test_without_a_tag_in_view_the_price_is_unknown() -> None:
    for seen in (JUDGED, tagged()):
        prices = prices_of(seen, priced(4.99))
        assert prices.wrong == ()
        assert prices.compliance.value is None


def test_one_agreeing_tag_clears_a_product() -> None:
    assert prices_of(tagged(tag("5.49"), tag("4.99")), priced(4.99)).wrong == ()


def test_wrong_prices_join_the_findings_in_walking_order() -> None:
    judgement, plan = tagged(tag("5.49")), priced(4.99)
    both = with_wrong(judgement, plan, prices_of(judgement, plan).wrong)

    assert {finding.kind for finding in both.findings} >= {"wrong_price"}
    assert len(both.findings) == len(JUDGED.findings) + 1


@pytest.mark.parametrize(("planned", "reading"), [(4.99, "4.99"), (4.99, "4"), (20, "20.00")])
def test_these_agree(planned: float, reading: str) -> None:
    assert agrees([Decimal(reading)], planned)


@given(st.integers(1, 99_999), st.integers(1, 99_999))
def test_two_full_prices_agree_only_if_they_are_one(planned: int, read: int) -> None:
    if read % 100:
        assert agrees([Decimal(read) / 100], planned / 100) == (planned == read)
