"""Laws of matching and comparing, on generated bays without pixels."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planograms.alignment import align
from planograms.compare import Comparison
from planograms.placing import NO_ROW
from planograms.unfold import unfolded
from tests.planograms.bays import IDENTITY, Shown, as_planned, bay, compared, matched, row_lists
from vision.geometry import PlaneMap, mapped_boxes

TILTED: PlaneMap = np.array([[0.9, 0.03, 40.0], [-0.02, 0.95, 25.0], [2e-5, -1e-5, 1.0]])
DISTINCT = [[1, 2, 3, 4, 5, 6], [7, 8, 8, 9, 10, 11], [12, 13, 14, 15, 16, 17]]

LAW = settings(max_examples=30, deadline=None)
"""Each example is a whole bay; a shared machine is no clock."""


def statuses(comparison: Comparison) -> Counter[str]:
    return Counter(state.status for state in comparison.positions)


def through(shown: Shown, plane: PlaneMap) -> Shown:
    return replace(shown, boxes=mapped_boxes(shown.boxes, plane))


@LAW
@given(row_lists())
def test_a_shelf_stocked_as_planned_has_no_findings(rows: list[list[int]]) -> None:
    plan = bay(rows)
    told = compared(plan, through(as_planned(plan), TILTED), plane=TILTED)
    assert told.findings == ()
    assert statuses(told) == {"ok": len(plan.positions)}


@LAW
@given(row_lists())
def test_rows_and_sequences_alone_know_a_shelf_stocked_as_planned(rows: list[list[int]]) -> None:
    plan = bay(rows)
    told = compared(plan, through(as_planned(plan), TILTED), plane=None)
    assert told.findings == ()
    assert statuses(told)["ok"] == len(plan.positions)


@LAW
@given(row_lists(), st.data())
def test_the_order_in_which_facings_are_listed_changes_nothing(
    rows: list[list[int]], data: st.DataObject
) -> None:
    plan = bay(rows)
    shown = as_planned(plan)
    order = np.array(data.draw(st.permutations(range(len(shown.boxes)))))
    mixed = Shown(shown.boxes[order], tuple(shown.products[k] for k in order), shown.rows[order])
    assert compared(plan, mixed, plane=None) == compared(plan, shown, plane=None)


@LAW
@given(row_lists())
def test_an_empty_shelf_lacks_everything(rows: list[list[int]]) -> None:
    plan = bay(rows)
    nothing = as_planned(plan, without=frozenset(p.id for p in plan.positions))
    told = compared(plan, nothing, plane=IDENTITY)
    assert statuses(told) == {"missing": len(plan.positions)}
    assert {finding.kind for finding in told.findings} == {"missing"}


def test_a_photo_that_nothing_ties_to_the_plan_says_nothing() -> None:
    plan = bay(DISTINCT)
    nothing = as_planned(plan, without=frozenset(p.id for p in plan.positions))
    told = compared(plan, nothing, plane=None)
    assert statuses(told) == {"unobserved": len(plan.positions)}
    assert told.findings == ()


@LAW
@given(row_lists(), st.data())
def test_what_is_missing_is_found_where_it_should_stand(
    rows: list[list[int]], data: st.DataObject
) -> None:
    plan = bay(rows)
    gone = data.draw(st.sampled_from(plan.positions))
    told = compared(plan, as_planned(plan, without=frozenset({gone.id})), plane=IDENTITY)
    assert [(f.kind, f.position, f.sku) for f in told.findings] == [
        ("missing", gone.id, gone.product)
    ]
    assert told.findings[0].box_xyxy_px == pytest.approx(gone.box_xyxy, abs=0.1)


@LAW
@given(st.data())
def test_without_registration_a_missing_facing_is_told_by_its_neighbours(
    data: st.DataObject,
) -> None:
    plan = bay(DISTINCT)
    gone = data.draw(st.sampled_from(plan.positions))
    shown = through(as_planned(plan, without=frozenset({gone.id})), TILTED)
    told = compared(plan, shown, plane=None)
    place = mapped_boxes(np.array([gone.box_xyxy]), TILTED)[0]
    # Within a run of one product any of its facings may be called the missing one.
    assert [(f.kind, f.sku) for f in told.findings] == [("missing", gone.product)]
    if gone.product != "p8":
        assert told.findings[0].box_xyxy_px == pytest.approx(tuple(place), abs=12)  # of 280


@LAW
@given(row_lists())
def test_a_mirrored_shelf_is_not_as_planned(rows: list[list[int]]) -> None:
    plan = bay(rows)
    mirrored = bay([row[::-1] for row in rows])
    told = compared(plan, as_planned(mirrored), plane=IDENTITY)
    moved = sum(
        mine.product != theirs.product
        for mine, theirs in zip(plan.in_order, mirrored.in_order, strict=True)
    )
    wrong = len(plan.positions) - statuses(told)["ok"]
    # A mirrored run may lie a facing off: then its own product still stands at its place.
    assert (wrong == 0) == (moved == 0)
    assert wrong <= moved


@pytest.mark.parametrize(
    "rows",
    [
        [[3, 5, 3, 5], [2, 3, 2, 3]],
        [[8, 2, 2, 2, 4, 9], [2, 3, 3, 3, 4, 3], [2, 2, 1, 2, 2, 2]],
        [[3, 3, 3, 3], [2, 4, 1, 2, 9], [2, 9, 3, 2, 9, 3], [3, 3, 1, 1, 2, 1],
         [1, 4, 4, 2, 2, 2, 3, 3, 3]],
    ],
)  # fmt: skip
def test_neighbours_that_look_exchanged_do_not_pass_one_another(rows: list[list[int]]) -> None:
    # Two products in turn, mirrored: each facing looks like the one planned beside it. That all
    # stand one place on, left and right in turn, explains all and cannot be.
    plan, mirrored = bay(rows), bay([row[::-1] for row in rows])
    told = compared(plan, as_planned(mirrored), plane=IDENTITY)
    moved = [
        mine.id
        for mine, theirs in zip(plan.in_order, mirrored.in_order, strict=True)
        if mine.product != theirs.product
    ]
    assert [state.id for state in told.positions if state.status != "ok"] == moved


def test_a_mirrored_shelf_is_nowhere_wrong_where_it_is_the_same() -> None:
    rows = [[1, 1, 1, 2, 1, 1], [2, 2, 1, 1, 2, 2, 2, 1, 1]]
    plan, mirrored = bay(rows), bay([row[::-1] for row in rows])
    told = compared(plan, as_planned(mirrored), plane=IDENTITY)
    same = sum(
        mine.product == theirs.product
        for mine, theirs in zip(plan.in_order, mirrored.in_order, strict=True)
    )
    assert statuses(told)["ok"] == same


@LAW
@given(row_lists(), st.floats(0.3, 0.7))
def test_half_a_view_leaves_the_rest_unobserved(rows: list[list[int]], share: float) -> None:
    plan = bay(rows)
    whole = as_planned(plan)
    edge = share * whole.width
    inside = whole.boxes[:, 2] <= edge
    half = Shown(
        whole.boxes[inside],
        tuple(product for product, seen in zip(whole.products, inside, strict=True) if seen),
        whole.rows[inside],
        width=edge,
    )
    told = compared(plan, half, plane=IDENTITY)
    for state, position in zip(told.positions, plan.in_order, strict=True):
        x1, _, x2, _ = position.box_xyxy
        if x2 <= edge:
            assert state.status == "ok"
        elif (edge - x1) / (x2 - x1) < 0.8:
            assert state.status == "unobserved"


def test_half_a_view_is_recognised_without_registration() -> None:
    plan = bay(DISTINCT)
    whole = as_planned(plan)
    inside = whole.boxes[:, 2] <= 1000
    half = Shown(
        whole.boxes[inside],
        tuple(product for product, seen in zip(whole.products, inside, strict=True) if seen),
        whole.rows[inside],
        width=1000,
    )
    told = compared(plan, half, plane=None)
    assert statuses(told) == {"ok": 9, "unobserved": 9}
    assert told.findings == ()


@LAW
@given(row_lists(), st.integers(0, 5))
def test_an_extra_row_does_not_shift_the_others(rows: list[list[int]], at: int) -> None:
    plan = bay(rows)
    shown = as_planned(plan)
    at = min(at, len(rows))
    stray = np.array([[100.0 * k, 5.0, 100.0 * k + 60, 30.0] for k in range(5)])
    more = Shown(
        np.concatenate([shown.boxes, stray]),
        (*shown.products, *["stray"] * 5),
        np.concatenate([np.where(shown.rows >= at, shown.rows + 1, shown.rows), np.full(5, at)]),
    )
    assert statuses(compared(plan, more, plane=None))["ok"] == len(plan.positions)


def test_facings_on_no_row_are_left_out_of_the_sequences() -> None:
    plan = bay(DISTINCT)
    shown = as_planned(plan)
    rows = shown.rows.copy()
    rows[3] = NO_ROW
    found = matched(plan, replace(shown, rows=rows), plane=None)
    # Its place is known from the others, so it is found all the same.
    assert (found.facing_of == np.arange(len(shown.boxes))).all()
    assert found.registered == "facings"


def test_another_product_in_a_place_is_wrong_and_an_exchange_is_misplaced() -> None:
    plan = bay(DISTINCT)
    shown = as_planned(plan)
    products = list(shown.products)
    products[0] = "stranger"
    products[8], products[15] = products[15], products[8]
    told = compared(plan, replace(shown, products=tuple(products)), plane=IDENTITY)
    assert {(f.kind, f.position, f.sku, f.seen) for f in told.findings} == {
        ("wrong_product", "r0-p01", "p1", None),
        ("misplaced", "r1-p03", "p8", "p15"),
        ("misplaced", "r2-p04", "p15", "p8"),
    }


def test_the_same_number_of_facings_of_wrong_products_scores_nothing() -> None:
    plan = bay(DISTINCT)
    shown = as_planned(plan)
    told = compared(
        plan, replace(shown, products=("stranger",) * len(shown.products)), plane=IDENTITY
    )
    assert statuses(told) == {"wrong_product": len(plan.positions)}


@LAW
@given(
    st.integers(0, 6).flatmap(
        lambda n: st.lists(
            st.lists(st.integers(-5, 5), min_size=3, max_size=3), min_size=n, max_size=n
        )
    ),
    st.booleans(),
)
def test_alignment_is_as_good_as_the_best_of_all(gains: list[list[int]], ends_free: bool) -> None:
    table = np.array(gains, dtype=np.float64).reshape(-1, 3)
    pairs, total = align(table, skip=-1.0, ends_free=ends_free)
    assert total == pytest.approx(_best(table, 0, 0, ends_free))
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(pairs))


def _best(gains: np.ndarray, i: int, j: int, ends_free: bool) -> float:
    """By trying everything."""
    n, m = gains.shape
    if i == n or j == m:
        left = (n - i) + (m - j)
        return 0.0 if ends_free else -1.0 * left
    free_i = ends_free and (j in (0, m))
    free_j = ends_free and (i in (0, n))
    return max(
        gains[i, j] + _best(gains, i + 1, j + 1, ends_free),
        (0.0 if free_i else -1.0) + _best(gains, i + 1, j, ends_free),
        (0.0 if free_j else -1.0) + _best(gains, i, j + 1, ends_free),
    )


def test_a_position_short_of_facings_is_told_apart_from_one_that_is_out() -> None:
    plan = bay([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]])
    three = replace(plan.positions[1], facings=3)
    plan = unfolded(replace(plan, positions=(plan.positions[0], three, *plan.positions[2:])))
    some = compared(plan, as_planned(plan, without=frozenset({"r0-p02#1"})), plane=IDENTITY)
    assert [(f.kind, f.position) for f in some.findings] == [("short", "r0-p02#1")]
    assert statuses(some)["short"] == 1
    every = frozenset({"r0-p02#1", "r0-p02#2", "r0-p02#3"})
    told = compared(plan, as_planned(plan, without=every), plane=IDENTITY)
    assert {(f.kind, f.position) for f in told.findings} == {("missing", name) for name in every}


@LAW
@given(row_lists(), st.booleans(), st.data())
def test_what_stands_on_top_is_extra_or_unexpected_and_goods_of_other_bays_are_neither(
    rows: list[list[int]], known: bool, data: st.DataObject
) -> None:
    plan = bay(rows)
    shown = as_planned(plan)
    below = [position for position in plan.positions if position.row < len(rows) - 1]
    under = data.draw(st.sampled_from(below))
    x1, y1, x2, y2 = under.box_xyxy
    leaflet = data.draw(st.booleans())
    high = (0.2 if leaflet else 0.4) * (y2 - y1)
    top = (x1, y1 - high, x2, y1)
    beside = [(plan.width + 10.0, p.box_xyxy[1], plan.width + 200.0, p.box_xyxy[3])
              for p in plan.positions if p.index == 0]  # fmt: skip
    more = Shown(
        np.concatenate([shown.boxes, [top], beside]),
        (*shown.products, under.product if known else "stray", *["stray"] * len(beside)),
        np.concatenate([shown.rows, [under.row], range(len(beside))]),
        width=plan.width + 300,
    )
    told = compared(plan, more, plane=IDENTITY)
    # What is far less high than all that is planned may be a leaflet: only a known product is told.
    kinds = [finding.kind for finding in told.findings]
    assert kinds == (["extra"] if known else [] if leaflet else ["unexpected"])
    assert statuses(told) == {"ok": len(plan.positions)}
