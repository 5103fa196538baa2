"""The learning rate over a run, by clock and by iteration."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.training.plan import TrainingPlan


def test_the_rate_warms_up_then_falls_to_its_last_share():
    plan = TrainingPlan(iterations=1000, warm_up_iterations=100)
    rates = [plan.rate_share(iteration=n, done_share=n / 1000) for n in range(1001)]
    assert rates[0] < 0.1
    assert 0.95 < max(rates) <= 1
    assert rates.index(max(rates)) < 110
    assert rates[-1] == pytest.approx(plan.rate_share_final)
    assert all(later <= earlier for earlier, later in itertools.pairwise(rates[100:]))


def test_a_plan_in_minutes_follows_the_clock_however_slow_the_steps():
    plan = TrainingPlan(minutes=2)
    assert plan.done_share(iteration=3, elapsed_s=60) == 0.5
    assert plan.done_share(iteration=3, elapsed_s=999) == 1


def test_a_plan_in_iterations_ignores_the_clock():
    assert TrainingPlan(iterations=10).done_share(iteration=5, elapsed_s=1e9) == 0.5


@given(iteration=st.integers(0, 10**7))
def test_the_average_never_forgets_faster_at_the_end(iteration):
    plan = TrainingPlan(iterations=1, average_decay=0.999)
    assert 0 < plan.average_share(iteration) <= plan.average_share(iteration + 1) <= 0.999


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"minutes": 1, "iterations": 1},
        {"minutes": 0},
        {"minutes": float("nan")},
        {"iterations": -1},
        {"iterations": 1, "batch_size": 0},
        {"iterations": 1, "rate_share_final": 0},
        {"iterations": 1, "average_decay": 1},
    ],
)
def test_a_plan_that_cannot_be_is_refused(settings):
    with pytest.raises(ValueError, match=r"length|minutes|batch_size|rate_share|average_decay"):
        TrainingPlan(**settings)
