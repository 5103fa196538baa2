"""Figures carry their doubt, and the doubt follows from the groups."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from storepulse.eval.figures import Figure, Report, as_json, as_table
from storepulse.eval.resampling import (
    drawn_anew,
    interval_by_member,
    interval_of,
    ratio_interval,
)

REPORT = Report(
    measure="rows",
    settings={"photos": 2, "seed": 0},
    figures=(
        Figure(name="recall", value=0.81236, low=0.75, high=0.9, n=20),
        Figure(name="recall", of="hooks", value=None),
    ),
    notes=("a note",),
)


def test_a_report_is_plain_json_with_four_digits() -> None:
    said = json.loads(json.dumps(as_json(REPORT)))
    assert said["figures"][0]["value"] == 0.8124
    assert said["figures"][1]["value"] is None
    assert said["settings"] == {"photos": 2, "seed": 0}


def test_a_table_says_what_is_unknown_and_the_notes() -> None:
    console = Console(width=100, record=True, quiet=True)
    with console.capture() as _:
        console.print(as_table(REPORT))
    said = "".join(
        segment.text for line in console.render_lines(as_table(REPORT)) for segment in line
    )
    for words in ("unknown", "0.750 to 0.900", "a note", "photos 2"):
        assert words in said


@pytest.mark.parametrize(
    ("low", "high"), [(0.5, None), (None, 0.5), (0.6, 0.5)], ids=["no high", "no low", "turned"]
)
def test_an_interval_has_two_ends_in_order(low: float | None, high: float | None) -> None:
    with pytest.raises(ValueError, match=r"interval|above"):
        Figure(name="x", value=0.5, low=low, high=high)


def test_a_figure_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match="rows has no figure precision"):
        REPORT.figure("precision")


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 30)), min_size=5, max_size=40),
    st.integers(0, 5),
)
def test_an_interval_lies_between_the_groups_and_repeats(
    groups: list[tuple[int, int]], seed: int
) -> None:
    over, under = [a for a, _ in groups], [b for _, b in groups]
    low, high = ratio_interval(over, under, seed=seed, rounds=200)
    ratios = [a / b for a, b in groups]
    if low is None or high is None:
        assert low is high is None
        return
    assert min(ratios) - 1e-9 <= low <= high <= max(ratios) + 1e-9
    assert (low, high) == ratio_interval(over, under, seed=seed, rounds=200)


@pytest.mark.parametrize(
    ("over", "under"),
    [
        pytest.param([1, 2], [2, 3], id="two groups say nothing"),
        pytest.param([0] * 9, [0] * 9, id="nothing was there"),
        pytest.param([3] * 9, [3] * 9, id="all alike is not to have no doubt"),
    ],
)
def test_where_groups_cannot_tell_there_is_no_interval(over: list[int], under: list[int]) -> None:
    assert ratio_interval(over, under, seed=0) == (None, None)


def test_the_interval_of_a_mean_is_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(3).normal(10, 2, 100)
    low, high = ratio_interval(values, np.ones(100), seed=0)
    assert low is not None
    assert high is not None
    assert high - low == pytest.approx(2 * 1.645 * values.std() / 10, rel=0.1)


def test_groups_drawn_anew_are_as_many_and_known() -> None:
    drawn = list(drawn_anew("abcdef", seed=1, rounds=20))
    assert len(drawn) == 20
    assert all(len(some) == 6 and set(some) <= set("abcdef") for some in drawn)
    assert interval_of([0.0] * 5 + [1.0] * 95) == pytest.approx((0.95, 1.0))


def test_groups_that_share_members_are_not_so_many_independent_ones() -> None:
    members = "abcdefgh"
    off = dict(zip(members, (0.3, -0.2, 0.1, 0.0, -0.3, 0.2, -0.1, 0.05), strict=True))
    groups = [(one, other) for one in members for other in members if one < other]
    values = [off[one] + off[other] for one, other in groups]
    low, high = interval_by_member(values, groups)
    assert low is not None
    assert high is not None
    assert low < sum(values) / len(values) < high
    # Drawn ten times as often they say the same: it is the members that are few.
    assert interval_by_member(values * 10, groups * 10) == pytest.approx((low, high))
    assert interval_by_member(values[:3], groups[:3]) == (None, None)
    assert interval_by_member([1.0] * len(groups), groups) == (None, None)
