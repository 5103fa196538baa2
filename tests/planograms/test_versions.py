"""What stands still once it is published, which plan holds, and what one facing each means."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planograms.errors import BadPlanogram
from planograms.judge import prepare
from planograms.model import PLANOGRAM_JSON, Assignment, Planogram, Product
from planograms.scaling import in_mm
from planograms.trade_numbers import check_digit, is_gtin
from planograms.unfold import unfolded
from planograms.versions import in_force, next_draft, published, refuse_change
from tests.planograms.bays import bay
from tests.planograms.drawn import planogram as drawn_planogram
from tests.planograms.plans import NOON, planograms

LATER = datetime(2026, 12, 1, tzinfo=UTC)
PLAN = bay([[1, 1, 2], [3, 4, 4]])


def test_a_published_version_cannot_change_and_the_next_one_can() -> None:
    shown = published(PLAN, at=NOON)
    changed = replace(shown, name="another")
    refuse_change(PLAN, replace(PLAN, name="a draft may change"))
    refuse_change(shown, shown)
    with pytest.raises(BadPlanogram, match="--version 2"):
        refuse_change(shown, changed)
    draft = next_draft(shown, at=LATER)
    assert (draft.version, draft.published_at) == (2, None)
    refuse_change(shown, draft)
    with pytest.raises(BadPlanogram, match="older"):
        refuse_change(draft, shown)
    assert published(shown, at=LATER) == shown


def plan_of(version: int, starts_on: date | None, *, shops: tuple[str, ...] = ()) -> Planogram:
    return published(
        replace(
            PLAN, version=version, starts_on=starts_on,
            assigned=tuple(Assignment(shop=shop, bays=("b1",)) for shop in shops),
        ),
        at=NOON,
    )  # fmt: skip


def test_the_plan_in_force_is_the_one_that_started_last() -> None:
    old, winter = plan_of(1, None), plan_of(2, date(2026, 12, 1))
    local = plan_of(3, date(2026, 12, 5), shops=("s1",))
    plans = [winter, local, old, replace(plan_of(9, None), published_at=None)]
    asked = {"bay": "b1"}
    assert in_force(plans, shop="s1", day=date(2026, 11, 30), **asked) == old
    assert in_force(plans, shop="s1", day=date(2026, 12, 1), **asked) == winter
    assert in_force(plans, shop="s1", day=date(2026, 12, 5), **asked) == local
    assert in_force(plans, shop="s2", day=date(2026, 12, 5), **asked) == winter
    assert in_force(plans, shop="s1", bay="b9", day=date(2026, 12, 5)) is None


@settings(deadline=None, max_examples=40)
@given(planograms())
def test_unfolding_keeps_facings_their_area_and_their_order(plan: Planogram) -> None:
    each = unfolded(plan)
    assert all(p.facings == p.facings_high == 1 for p in each.positions)
    assert len(each.positions) == sum(p.facings * p.facings_high for p in plan.positions)
    rows = {p.row for p in plan.positions}
    for row in rows:
        mine = [p for p in each.in_order if p.row == row]
        assert [p.index for p in mine] == list(range(len(mine)))
        area = sum((p.box_xyxy[2] - p.box_xyxy[0]) * (p.box_xyxy[3] - p.box_xyxy[1]) for p in mine)
        wanted = sum(
            (p.box_xyxy[2] - p.box_xyxy[0]) * (p.box_xyxy[3] - p.box_xyxy[1])
            for p in plan.positions
            if p.row == row
        )
        assert area == pytest.approx(wanted)
    assert unfolded(each) is each
    assert prepare(plan).planogram == each


def test_more_facings_than_can_be_judged_are_told() -> None:
    position = replace(PLAN.positions[0], facings=100, facings_high=60)
    with pytest.raises(BadPlanogram, match="at most 5000 positions"):
        prepare(replace(PLAN, positions=(position,)))


def test_in_millimetres_the_plan_has_the_same_shape() -> None:
    plan = drawn_planogram()
    scaled = in_mm(plan, width_mm=1200)
    factor = 1200 / plan.width
    assert (scaled.unit, scaled.width) == ("mm", 1200)
    for old, new in zip(plan.in_order, scaled.in_order, strict=True):
        assert new.box_xyxy == pytest.approx([x * factor for x in old.box_xyxy], abs=0.01)
    assert scaled.reference is not None
    assert plan.reference is not None
    assert scaled.reference.scale * factor == pytest.approx(plan.reference.scale)
    with pytest.raises(ValueError, match="above 0"):
        in_mm(plan, width_mm=0)


@given(st.text("0123456789", min_size=7, max_size=13))
def test_one_wrong_digit_never_passes_as_a_gtin(digits: str) -> None:
    number = digits + str(check_digit(digits))
    assert is_gtin(number) == (len(number) in (8, 12, 13, 14))
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert not is_gtin(wrong)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("gtin", "4006381333932", "must end in 1"),
        ("gtin", "12", "8, 12, 13 or 14 digits"),
        ("currency", "euro", "three letters"),
        ("price", -1.0, "0 or above"),
        ("depth_mm", 0.0, "above 0"),
        ("names", {"not a code": "x"}, "language code"),
    ],
)
def test_a_product_refuses_what_cannot_be(field: str, value: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Product(id="p", sku="p", name="p", **{field: value})  # type: ignore[arg-type]


def test_a_product_has_a_name_in_each_language() -> None:
    product = Product(id="p", sku="p", name="Tea", names={"zh": "茶"})
    assert [product.name_in(code) for code in ("zh-Hans", "zh", "fr")] == ["茶", "茶", "Tea"]


def test_a_planogram_of_before_can_still_be_read() -> None:
    data = PLANOGRAM_JSON.dump_python(PLAN, mode="json")
    for new in ("starts_on", "assigned", "published_at", "kept"):
        del data[new]
    for position in data["positions"]:
        for new in ("facings_high", "facings_deep", "x_mm", "y_mm"):
            del position[new]
    assert PLANOGRAM_JSON.validate_python(data) == PLAN
