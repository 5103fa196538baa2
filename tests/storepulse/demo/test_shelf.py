"""What is pushed and erased follows from what was seen, by rule."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from planograms.findings import PositionState
from planograms.model import Planogram, Position, Product, Shelf
from storepulse.demo.children import StageFailed
from storepulse.demo.shelf import choose_main_push, erased_found

WIDE, HIGH = 1000, 600


def plan_of(*rows: str, main_push: str = "") -> Planogram:
    """A letter is a facing of the product of that name; the first row is the lowest."""
    positions = tuple(
        Position(
            id=f"{row}{index}", row=row, index=index, product=name,
            box_xyxy=(80 + 60 * index, 480 - 100 * row, 135 + 60 * index, 560 - 100 * row),
        )
        for row, names in enumerate(rows)
        for index, name in enumerate(names)
    )  # fmt: skip
    products = tuple(
        Product(id=name, sku=name, name=name, main_push=name in main_push)
        for name in sorted({position.product for position in positions})
    )
    return Planogram(
        id="demo", name="demo", bay="bay-1", version=1, made_at=datetime(2026, 11, 22, tzinfo=UTC),
        source="photo", unit="px", width=WIDE, height=HIGH, products=products, positions=positions,
        shelves=tuple(
            Shelf(row=row, line_xyxy=(0, 560 - 100 * row, WIDE, 560 - 100 * row), height=80)
            for row in range(len(rows))
        ),
    )  # fmt: skip


def as_planned(plan: Planogram, *, wrong: Sequence[str] = ()) -> list[PositionState]:
    def state(position: Position) -> PositionState:
        bad = position.id in wrong
        return PositionState(
            id=position.id, sku=position.product, status="missing" if bad else "ok",
            box_xyxy_px=position.box_xyxy, right=0.05 if bad else 0.98,
        )  # fmt: skip

    return [state(position) for position in plan.positions]


def choose(plan: Planogram, *, wrong: Sequence[str] = ()) -> tuple[tuple[str, ...], set[str]]:
    choice = choose_main_push(plan, as_planned(plan, wrong=wrong), width=WIDE, height=HIGH)
    return choice.products, set(choice.erased)


def test_the_middle_three_of_a_product_with_seven_facings_are_erased() -> None:
    assert choose(plan_of("aabbbbbbb", "ccccdddd")) == (("b",), {"04", "05", "06"})


def test_a_product_with_so_many_facings_that_red_would_not_follow_is_not_pushed() -> None:
    products, _ = choose(plan_of("aaaaaaaaaaaa", "bbbbcccc"))
    assert products in {("b",), ("c",)}


def test_facings_that_were_not_seen_in_place_are_not_erased() -> None:
    products, erased = choose(plan_of("aaaaaabbbb"), wrong=["02", "03"])
    assert products == ("b",)
    assert erased <= {"06", "07", "08", "09"}


def test_facings_at_the_edge_of_the_photo_are_not_erased() -> None:
    plan = plan_of("aaaabbbbbbbbbbb")  # the last ones lie beyond 94 % of the width
    _, erased = choose(plan)
    assert erased <= {"00", "01", "02", "03"}


def test_without_three_of_one_product_the_products_of_three_neighbours_are_pushed() -> None:
    products, erased = choose(plan_of("abcabd"))
    assert len(erased) == 3
    assert len(products) in {2, 3}


def test_a_planogram_that_marks_a_product_is_asked_for_that_one() -> None:
    products, _ = choose(plan_of("aaaaaaabbbb", main_push="b"))
    assert products == ("b",)


def test_a_shelf_on_which_nothing_stands_side_by_side_cannot_be_used() -> None:
    with pytest.raises(StageFailed, match="side by side"):
        choose(plan_of("ab", "cd"))


def test_a_finding_counts_for_the_erased_pack_that_it_covers_and_only_if_it_is_missing() -> None:
    erased = [(0.0, 0.0, 10.0, 20.0), (20.0, 0.0, 30.0, 20.0), (40.0, 0.0, 50.0, 20.0)]
    findings = [
        {"kind": "missing", "box_xyxy_px": [1, 0, 11, 20]},
        {"kind": "missing", "box_xyxy_px": [26, 0, 36, 20]},
        {"kind": "wrong_product", "box_xyxy_px": [40, 0, 50, 20]},
    ]
    assert erased_found(findings, erased) == 1
