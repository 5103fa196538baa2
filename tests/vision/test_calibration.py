"""Scores become shares of right answers; the order of answers never changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.calibration import PROPERTY, Calibration
from vision.training.calibrating import calibration_error, fit
from vision.training.evaluate import Judged

calibrations = st.builds(Calibration, st.floats(0, 5), st.floats(0, 5), st.floats(-4, 4))
scores = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=30).map(
    lambda values: np.array(sorted(values), np.float32)
)


@given(calibrations, scores)
def test_a_calibration_keeps_the_order_and_answers_with_probabilities(calibration, raw):
    told = calibration.probability(raw)
    assert (np.diff(told) >= 0).all()
    assert ((told >= 0) & (told <= 1)).all()


@given(scores)
def test_without_a_calibration_scores_stay_as_they_are(raw):
    assert np.allclose(Calibration().probability(raw), raw, atol=1e-5)


@given(calibrations)
def test_a_calibration_survives_the_model_file(calibration):
    again = Calibration.read_from({PROPERTY: calibration.in_words()})
    grid = np.linspace(0.01, 0.99, 20)
    assert np.allclose(again.probability(grid), calibration.probability(grid), atol=1e-4)


@given(calibrations, st.floats(0.1, 0.9))
def test_the_score_of_a_probability_is_where_it_is_reached(calibration, probability):
    raw = calibration.score_of(probability)
    if raw < 1 - 1e-5:
        told = calibration.probability(np.array([raw]))[0]
        assert told >= probability - 1e-3


def judged(raw: np.ndarray, right: np.ndarray) -> Judged:
    return Judged(raw.astype(np.float32), np.tile(right, (10, 1)), int(right.sum()))


def test_a_fit_finds_the_calibration_that_made_the_answers():
    rng = np.random.default_rng(0)
    raw = rng.uniform(0.01, 0.99, 20000)
    truth = Calibration(0.7, 1.6, -0.3)
    right = rng.random(20000) < truth.probability(raw)
    found = fit(raw, right)
    assert np.allclose(found.probability(raw), truth.probability(raw), atol=0.03)
    before = calibration_error([judged(raw, right)])
    after = calibration_error([judged(found.probability(raw), right)])
    assert after < 0.015 < before


def test_the_error_is_what_it_is_by_hand():
    raw = np.array([0.85, 0.85, 0.25, 0.25])
    right = np.array([True, True, False, True])
    assert calibration_error([judged(raw, right)]) == pytest.approx((2 * 0.15 + 2 * 0.25) / 4)
    # Of the surer half alone, and of nothing.
    assert calibration_error([judged(raw, right)], score_min=0.5) == pytest.approx(0.15)
    assert calibration_error([]) == 0


@pytest.mark.parametrize("right", [np.ones(300, bool), np.zeros(300, bool)], ids=["all", "none"])
def test_answers_of_one_kind_fix_nothing(right):
    with pytest.raises(ValueError, match="right and wrong"):
        fit(np.linspace(0.1, 0.9, 300), right)


@pytest.mark.parametrize("words", ["1 2", "a b c", "-1 1 0", "nan 1 0"])
def test_a_calibration_that_is_none_is_refused(words):
    with pytest.raises(ValueError, match=r"calibration|values|float"):
        Calibration.read_from({PROPERTY: words})
