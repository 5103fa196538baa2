"""Quarters, hours, days and weeks: what they add up to, and with which doubt."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.codes.days import Figure, day_figure, shop_days
from hub.figures.windows import (
    Window,
    bucket_start,
    short_windows,
    together,
    week_start,
    windows_of_days,
)
from storepulse.facts import Fact
from storepulse.units import Z90

DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def fact(metric: str, at: datetime, value: float | None, **more: Any) -> Fact:
    length = more.pop("length", QUARTER)
    return Fact(
        id=more.pop("name", f"{metric}{at}{length}"), shop="17", metric=metric, start=at,
        end=at + length, value=value, source="/storepulse/c/17/n", method="m/1", **more,
    )  # fmt: skip


def doubted(metric: str, at: datetime, value: float, half: float, **more: Any) -> Fact:
    return fact(metric, at, value, low=value - half, high=value + half, **more)


def hour_of(facts: list[Fact], metric: str) -> Window:
    (window,) = short_windows("17", facts, "UTC", metric, "hour").values()
    return window


def test_a_sum_adds_and_errors_of_one_node_and_method_are_one_error() -> None:
    facts = [doubted("visitors", NOON + n * QUARTER, 10.0, 2.0, n=10) for n in range(4)]
    window = hour_of(facts, "visitors")
    assert (window.value, window.n, window.facts) == (40.0, 40, 4)
    assert (window.low, window.high) == pytest.approx((32.0, 48.0))


def test_what_a_fact_calls_its_own_error_adds_as_squares() -> None:
    facts = [
        doubted("visitors", NOON + n * QUARTER, 10.0, 2.0, n=10, independent=1.0) for n in range(4)
    ]
    assert hour_of(facts, "visitors").low == pytest.approx(40.0 - 4.0)


def test_a_mean_weighs_by_n_and_the_last_counts_where_the_last_does() -> None:
    facts = [
        doubted("dwell_mean", NOON, 2.0, 0.5, n=30),
        doubted("dwell_mean", NOON + QUARTER, 4.0, 0.5, n=10),
    ]
    window = hour_of(facts, "dwell_mean")
    assert (window.value, window.n) == (2.5, 40)
    assert window.low == pytest.approx(2.0)
    late = [fact("outbox_age", NOON, 900.0), fact("outbox_age", NOON + QUARTER, 3.0)]
    assert hour_of(late, "outbox_age").value == 3.0


def test_an_hour_says_nothing_of_its_quarters() -> None:
    facts = [
        fact("screen_touches", NOON, 9.0, length=timedelta(hours=1)),
        fact("screen_touches", NOON, 2.0),
    ]
    assert [
        w.value for w in short_windows("17", facts, "UTC", "screen_touches", "quarter").values()
    ] == [2.0]
    assert hour_of(facts, "screen_touches").value == 9.0


def test_the_hour_that_comes_twice_is_two() -> None:
    first = datetime(2026, 10, 25, 0, 20, tzinfo=UTC)  # 02:20 in Berlin, and an hour later again
    starts = {bucket_start(first + n * timedelta(hours=1), "Europe/Berlin", "hour") for n in (0, 1)}
    assert starts == {
        datetime(2026, 10, 25, 0, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)
    }  # fmt: skip
    half = bucket_start(datetime(2026, 11, 20, 3, 50, tzinfo=UTC), "Asia/Kolkata", "hour")
    assert half == datetime(2026, 11, 20, 3, 30, tzinfo=UTC)  # 09:00 there


def test_an_unknown_window_lowers_the_coverage_and_is_no_zero() -> None:
    facts = [
        fact("screen_touches", NOON, 8.0),
        fact("screen_touches", NOON + QUARTER, None, coverage=0.0),
    ]
    window = hour_of(facts, "screen_touches")
    assert (window.value, window.coverage) == (8.0, 0.5)
    assert hour_of(facts[1:], "screen_touches").value is None


_VALUES = st.floats(0, 100, allow_nan=False)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 95), _VALUES, st.integers(1, 50)), min_size=1, max_size=8,
        unique_by=lambda one: one[0],
    ),
    st.randoms(use_true_random=False),
    st.sampled_from(["visitors", "dwell_mean", "occupancy"]),
)  # fmt: skip
def test_a_day_is_what_the_codes_take_it_for_in_any_order_and_however_often(
    told: list[tuple[int, float, int]], random: Any, metric: str
) -> None:
    begin = datetime(2026, 11, 20, tzinfo=UTC)
    facts = [doubted(metric, begin + at * QUARTER, value, 0.0, n=n) for at, value, n in told]
    shuffled = [*facts, *facts]
    random.shuffle(shuffled)
    window = windows_of_days(shop_days("17", shuffled, "UTC"), DAY, DAY)[metric, DAY]
    figure = day_figure(shop_days("17", facts, "UTC"), metric, DAY)
    assert isinstance(figure, Figure)
    assert (window.value, window.n, window.coverage) == (figure.value, figure.n, figure.coverage)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(_VALUES, st.integers(1, 50), st.floats(0, 5)), min_size=2, max_size=7))
def test_a_week_of_days_is_the_week_of_their_facts(days: list[tuple[float, int, float]]) -> None:
    for metric in ("visitors", "dwell_mean"):
        facts = [
            doubted(metric, NOON + n * timedelta(days=1), value, half, n=count, independent=0.3)
            for n, (value, count, half) in enumerate(days)
        ]
        found = windows_of_days(shop_days("17", facts, "UTC"), DAY, DAY + timedelta(days=9))
        week = together([found[place] for place in sorted(found)], metric)
        assert week is not None
        weights = (
            [count / sum(n for _, n, _ in days) for _, count, _ in days]
            if metric == "dwell_mean" else [1.0] * len(days)
        )  # fmt: skip
        assert week.value == pytest.approx(
            sum(w * v for w, (v, _, _) in zip(weights, days, strict=True))
        )
        shared = sum(w * h for w, (_, _, h) in zip(weights, days, strict=True)) / Z90 * 0.7**0.5
        own = sum((w * h / Z90) ** 2 for w, (_, _, h) in zip(weights, days, strict=True)) * 0.3
        assert week.doubt.total.below == pytest.approx((shared**2 + own) ** 0.5, abs=1e-9)


def test_weeks_begin_on_mondays() -> None:
    assert week_start(date(2026, 11, 22)) == date(2026, 11, 16)
    assert together([], "visitors") is None
