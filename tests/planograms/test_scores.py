"""Scores and their intervals."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planograms.findings import Finding, PositionState
from planograms.model import Planogram
from planograms.scores import (
    ROW_SPREAD,
    poisson_binomial,
    scores_of,
    seen_together,
    share,
    together,
)
from tests.planograms.bays import IDENTITY, as_planned, bay, compared

RIGHTS = st.lists(st.one_of(st.none(), st.floats(0.01, 0.995)), min_size=1, max_size=40)


@given(RIGHTS)
def test_a_score_lies_within_its_interval_and_between_none_and_all(
    rights: list[float | None],
) -> None:
    score = share(rights)
    seen = [value for value in rights if value is not None]
    assert score.n == len(seen)
    assert score.coverage == pytest.approx(len(seen) / len(rights), abs=1e-4)
    if not seen:
        assert (score.value, score.low, score.high) == (None, None, None)
        return
    assert score.value is not None
    assert score.low is not None
    assert score.high is not None
    assert 0 <= score.low <= score.value <= score.high <= 1


def test_the_number_of_successes_has_its_distribution() -> None:
    assert poisson_binomial(np.array([0.5, 0.5])) == pytest.approx([0.25, 0.5, 0.25])
    assert poisson_binomial(np.array([])) == pytest.approx([1.0])
    chances = poisson_binomial(np.array([0.1, 0.9, 0.4]))
    assert chances.sum() == pytest.approx(1)
    assert chances @ np.arange(4) == pytest.approx(1.4)


def test_the_interval_holds_nine_times_in_ten() -> None:
    random = np.random.default_rng(0)
    rights = random.uniform(0.3, 0.95, 40)
    score = share(list(rights))
    truth = (random.random((4000, 40)) < rights).mean(axis=1)
    inside = ((truth >= score.low) & (truth <= score.high)).mean()
    # Whole facings: it may hold more often, by the share of one facing on either side.
    assert 0.9 <= inside < 0.97


@given(
    st.lists(st.tuples(st.floats(0.01, 0.99), st.integers(0, 3)), min_size=1, max_size=25),
    st.floats(0.1, 2.5),
)
def test_what_rows_share_keeps_the_mean_and_widens_the_spread(
    places: list[tuple[float, int]], spread: float
) -> None:
    chances = np.array([chance for chance, _ in places])
    rows = np.array([row for _, row in places])
    alone, shared = poisson_binomial(chances), together(chances, rows, spread=spread)
    count = np.arange(len(chances) + 1)
    assert shared.sum() == pytest.approx(1)
    assert shared @ count == pytest.approx(alone @ count, abs=1e-3)
    variance = [d @ count**2 - (d @ count) ** 2 for d in (alone, shared)]
    assert variance[1] >= variance[0] - 1e-3


def test_the_interval_holds_nine_times_in_ten_where_rows_go_wrong_together() -> None:
    random = np.random.default_rng(0)
    rows = np.repeat(np.arange(5), 12)
    odds = random.uniform(0.5, 3, 60)
    drawn = odds + ROW_SPREAD * random.normal(size=(4000, 5))[:, rows]
    truth = (random.random((4000, 60)) < 1 / (1 + np.exp(-drawn))).mean(axis=1)
    marginal = 1 / (1 + np.exp(-(odds[None] + ROW_SPREAD * random.normal(size=(4000, 1)))))
    told = share(list(marginal.mean(axis=0)), rows=rows.tolist())
    alone = share(list(marginal.mean(axis=0)))
    assert told.low is not None
    assert alone.low is not None
    assert 0.87 <= ((truth >= told.low) & (truth <= told.high)).mean() <= 0.97
    assert ((truth >= alone.low) & (truth <= alone.high)).mean() < 0.87


def test_what_was_not_seen_widens_the_interval() -> None:
    whole, half = share([0.9] * 40), share([0.9] * 20 + [None] * 20)
    assert whole.low is not None
    assert whole.high is not None
    assert half.low is not None
    assert half.high is not None
    assert half.high - half.low > whole.high - whole.low
    assert half.coverage == 0.5


def states(rows: list[list[int]], without: set[str], main_push: int | None = None):  # type: ignore[no-untyped-def]
    plan = bay(rows, main_push=main_push)
    told = compared(plan, as_planned(plan, without=frozenset(without)), plane=IDENTITY)
    return plan, told.positions


def test_half_of_the_main_push_facings_gone_halves_the_exposure() -> None:
    rows = [[1, 1, 2, 2, 3, 3], [4, 4, 2, 2, 5, 6], [7, 7, 8, 9, 10, 11]]
    plan, told = states(rows, {"r0-p03", "r0-p04"}, main_push=2)
    scores = scores_of(plan, told)
    assert scores.exposure_basis == "main_push"
    assert scores.exposure_main_push.n == 4
    assert scores.exposure_main_push.value == pytest.approx(
        0.6, abs=0.02
    )  # (2 x 0.995 + 2 x 0.2)/4
    assert scores.facing_compliance.value is not None
    assert scores.facing_compliance.value > 0.85


def test_without_main_push_exposure_is_facing_compliance_and_says_so() -> None:
    plan, told = states([[1, 2, 3, 4], [5, 6, 7, 8]], {"r0-p01"})
    scores = scores_of(plan, told)
    assert scores.exposure_basis == "facing_compliance"
    assert scores.exposure_main_push == scores.facing_compliance


def test_a_run_with_one_facing_left_keeps_its_position_and_its_product() -> None:
    plan, told = states([[1, 1, 1, 2, 3], [4, 5, 6, 7, 8]], {"r0-p01", "r0-p02"})
    scores = scores_of(plan, told)
    assert scores.position_compliance.n == 8
    assert scores.on_shelf_availability.n == 8
    assert scores.position_compliance.value is not None
    assert scores.facing_compliance.value is not None
    assert scores.position_compliance.value > 0.99 > scores.facing_compliance.value


def test_a_product_of_which_nothing_is_in_view_is_not_counted_as_seen() -> None:
    plan = bay([[1, 1, 2, 2], [3, 3, 4, 4]])
    told = [
        PositionState(
            id=position.id, sku=position.product, status="ok", box_xyxy_px=position.box_xyxy,
            right=0.99,
        )
        if position.product in ("p1", "p3")
        else PositionState(
            id=position.id, sku=position.product, status="unobserved", box_xyxy_px=None, right=None
        )
        for position in plan.in_order
    ]  # fmt: skip
    score = scores_of(plan, told).on_shelf_availability
    assert (score.n, score.coverage) == (2, 0.5)


def branded(rows: list[list[int]], eye_level: int, *main_push: int) -> Planogram:
    plan = bay(rows)
    products = tuple(
        replace(one, brand="ours" if int(one.id[1:]) % 2 else "theirs",
                main_push=int(one.id[1:]) in main_push)
        for one in plan.products
    )  # fmt: skip
    shelves = tuple(replace(one, main_visual=one.row == eye_level) for one in plan.shelves)
    return replace(plan, products=products, shelves=shelves)


def told_of(plan: Planogram, **right: float | None) -> tuple[PositionState, ...]:
    chances = {position.id: 0.99 for position in plan.in_order} | {
        name.replace("_", "-"): value for name, value in right.items()
    }
    return tuple(
        PositionState(
            id=position.id, sku=position.product, box_xyxy_px=position.box_xyxy,
            status="unobserved" if (chance := chances[position.id]) is None
            else "ok" if chance > 0.5 else "missing", right=chance,
        )
        for position in plan.in_order
    )  # fmt: skip


def test_main_push_at_eye_level_counts_products_and_one_planned_elsewhere_is_not_there() -> None:
    plan = branded([[1, 1, 2, 2], [3, 3, 4, 4]], 1, 3, 1)
    score = scores_of(plan, told_of(plan)).main_push_in_main_visual
    assert score is not None
    assert score.planned == 2
    assert score.value == pytest.approx(0.5, abs=0.01)
    assert scores_of(branded([[1, 2]], 0), told_of(branded([[1, 2]], 0))) \
        .main_push_in_main_visual is None  # fmt: skip


def test_the_share_of_shelf_is_of_what_stands_there() -> None:
    plan = branded([[1, 1, 2, 2]], 0)
    shares = {one.brand: one.share for one in scores_of(plan, told_of(plan)).share_of_shelf}
    assert shares["ours"].value == pytest.approx(0.5, abs=0.01)
    # Two of the other brand are gone: what is left is ours, and less was seen.
    gone = scores_of(plan, told_of(plan, r0_p03=0.01, r0_p04=0.01)).share_of_shelf
    by = {one.brand: one.share for one in gone}
    assert by["ours"].value == pytest.approx(1.0, abs=0.02)
    assert by["theirs"].value == pytest.approx(0.0, abs=0.02)
    # One of ours stands in the place of theirs.
    (third,) = [one for one in plan.in_order if one.id == "r0-p03"]
    taken = Finding(
        kind="wrong_product", box_xyxy_px=third.box_xyxy, confidence=0.98, sku="p2",
        position="r0-p03", seen="p1",
    )  # fmt: skip
    states = tuple(
        replace(one, status="wrong_product", right=0.02) if one.id == "r0-p03" else one
        for one in told_of(plan)
    )
    by = {one.brand: one.share for one in scores_of(plan, states, (taken,)).share_of_shelf}
    assert by["ours"].value == pytest.approx(0.75, abs=0.02)
    assert scores_of(bay([[1, 2]]), told_of(bay([[1, 2]]))).share_of_shelf == ()


def test_what_two_photos_of_a_round_show_is_seen_together() -> None:
    plan = bay([[1, 2, 3, 4]])
    states = told_of(plan, r0_p01=None, r0_p02=None)
    together_ = seen_together(states, {"r0-p01": 0.9, "r0-p03": 0.1, "gone": 0.5})
    assert [one.right for one in together_] == [0.9, None, 0.99, 0.99]
    assert scores_of(plan, together_).facing_compliance.coverage == 0.75
