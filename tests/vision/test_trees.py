"""Boosted trees: they learn what can be told apart, and the table gives what was learnt."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.training.boosting import Growth, grow
from vision.trees import Forest

FEW = Growth(trees=20, depth=2, figures_tried=1.0)


def rows(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 5))


def test_an_exclusive_or_is_learnt_and_carries_over() -> None:
    values = rows(800, 1)
    right = (values[:, 1] > 0) != (values[:, 3] > 0.3)
    forest = grow(values, right, np.ones(len(values)), Growth(trees=60, depth=3))
    unseen = rows(500, 2)
    told = forest.log_odds(unseen) > 0
    assert (told == ((unseen[:, 1] > 0) != (unseen[:, 3] > 0.3))).mean() > 0.9


def test_weights_move_the_balance() -> None:
    values = rows(400, 3)
    right = rows(400, 4)[:, 0] > 0  # nothing to learn
    even = grow(values, right, np.ones(400), FEW).log_odds(values).mean()
    heavy = grow(values, right, np.where(right, 5.0, 1.0), FEW).log_odds(values).mean()
    assert heavy > even + 1


def test_rows_of_one_kind_teach_nothing() -> None:
    with pytest.raises(ValueError, match="both kinds"):
        grow(rows(9, 1), np.ones(9, bool), np.ones(9))


def test_a_figure_that_never_changes_is_no_question() -> None:
    values = np.zeros((50, 1))
    right = np.arange(50) % 2 == 0
    odds = grow(values, right, np.ones(50), FEW).log_odds(np.array([[0.0], [7.0]]))
    assert odds == pytest.approx([0, 0], abs=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-5, 5), min_size=5, max_size=5))
def test_one_row_at_a_time_gives_the_same(row: list[float]) -> None:
    values = rows(60, 5)
    forest = grow(values, values[:, 0] > 0, np.ones(60), FEW)
    both = np.array([row, row[::-1]])
    assert forest.log_odds(both)[0] == forest.log_odds(both[:1])[0]


def test_a_table_that_does_not_fit_together_is_refused() -> None:
    with pytest.raises(ValueError, match="no forest"):
        Forest(np.zeros((3, 2), np.int64), np.zeros((3, 2)), np.zeros((3, 8)), 0.0)
