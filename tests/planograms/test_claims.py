"""Claims are made where the shelf shows them, not where something hides it or the map is off."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planograms.claims import sure_around
from planograms.compare import Comparison
from planograms.confidence import CURVES, DRAWN_CURVES, NAMES, Claim, Curve, Witnesses
from planograms.evidence import _GOODS, found_near
from planograms.judge import compare_observation, prepare
from tests.planograms.drawn import (
    HEIGHT,
    SECOND,
    WIDTH,
    Pixels,
    observed,
    photo_of,
    photographed,
    planogram,
    shelf,
)

READY = prepare(planogram())


def told(picture: Pixels, without: Sequence[int]) -> Comparison:
    seen = observed(plane=SECOND, without=without)
    return compare_observation(photo_of(picture), seen, READY).told


def missing(comparison: Comparison) -> set[str | None]:
    return {finding.position for finding in comparison.findings if finding.kind == "missing"}


def test_a_facing_that_is_gone_is_claimed() -> None:
    assert missing(told(photographed(shelf(without=[10])), [10])) == {"r1-p03"}


def test_a_facing_that_the_detector_alone_missed_is_not() -> None:
    assert told(photographed(shelf()), [10, 13]).findings == ()


def test_what_a_person_hides_is_not_claimed() -> None:
    picture = photographed(shelf())
    hidden = picture.copy()
    # A dark coat over two packs of all three shelves, the boards below them included.
    cv2.rectangle(hidden, (430, 0), (660, HEIGHT), (40, 42, 60), -1)
    behind = [k for k in range(24) if k % 8 in (3, 4, 5)]
    assert told(hidden, behind).findings == ()


def witnesses(**said: float) -> Witnesses:
    usual = {
        "before": 3.0, "again": -0.4, "board": 0.0, "edges": 0.3, "anchors": 1.0, "around": 1.0,
        "weak": 0.0, "covered": 0.0, "margin": 1.0, "hidden": 0.0, "same": -4.0, "rival": 3.0,
    }  # fmt: skip
    return Witnesses(**{name: np.array([value]) for name, value in {**usual, **said}.items()})


def confidence(claim: Claim, **said: float) -> float:
    return float(CURVES[claim].confidence(witnesses(**said))[0])


@pytest.mark.parametrize("claim", ["missing", "wrong"])
def test_what_speaks_against_a_claim_never_makes_it_surer(claim: Claim) -> None:
    sure = confidence(claim)
    assert sure > 0.8
    for name, against in {
        "before": -1.0, "again": 0.0, "board": -0.5, "edges": 1.0, "anchors": 0.0, "around": 0.0,
        "weak": 1.0, "covered": 1.0, "margin": -0.2, "hidden": 1.0, "same": 5.0, "rival": -4.0,
    }.items():  # fmt: skip
        assert confidence(claim, **{name: against}) <= sure


@given(st.lists(st.floats(), min_size=len(NAMES), max_size=len(NAMES)))
def test_whatever_witnesses_say_confidence_is_a_probability(values: list[float]) -> None:
    said = Witnesses(*(np.array([value]) for value in values))
    for curve in (*CURVES.values(), *DRAWN_CURVES.values()):
        assert 0 <= curve.confidence(said)[0] <= 1


def test_a_curve_has_a_weight_for_each_witness() -> None:
    both = (*CURVES.values(), *DRAWN_CURVES.values())
    assert all(len(curve.weights) == len(NAMES) for curve in both)
    half = Curve(0.0, (0.0,) * len(NAMES))
    assert half.confidence(witnesses())[0] == 0.5


def test_a_picture_is_found_beside_its_place_but_not_under_another_facing() -> None:
    picture = shelf()
    place = np.array([236.0, 500, 332, 670])
    pack = picture[500:670, 236:332]
    nothing: npt.NDArray[np.float64] = np.zeros((0, 4))
    shifted = place + np.array([40, 0, 40, 0])
    assert found_near(pack, picture, place, nothing, _GOODS) > 0.9
    assert found_near(pack, picture, shifted, nothing, _GOODS) > 0.9
    taken = np.array([[120.0, 480, 460, 680]])
    assert found_near(pack, picture, shifted, taken, _GOODS) < 0.7


@pytest.mark.parametrize(
    "place",
    [
        pytest.param((WIDTH + 500, 0, WIDTH + 600, 100), id="outside the photo"),
        pytest.param((10, 10, 10.5, 60), id="thinner than a pixel"),
    ],
)
def test_where_nothing_can_be_seen_nothing_is_known(place: tuple[float, ...]) -> None:
    pack = shelf()[500:670, 236:332]
    assert np.isnan(found_near(pack, shelf(), np.array(place), np.zeros((0, 4)), _GOODS))


def test_a_plain_picture_says_nothing() -> None:
    plain = np.full((40, 30, 3), 120, np.uint8)
    place = np.array([236.0, 500, 332, 670])
    assert np.isnan(found_near(plain, shelf(), place, np.zeros((0, 4)), _GOODS))


def test_what_is_around_leaves_out_the_place_itself() -> None:
    where = np.array([[100.0 * k, 0, 100.0 * k + 80, 100] for k in range(4)])
    sure = np.array([False, True, True, True])
    assert sure_around(where, sure, where).tolist() == pytest.approx([1, 2 / 3, 2 / 3, 2 / 3])
    assert np.isnan(sure_around(where[:1], sure[:1], where[:1])).all()
