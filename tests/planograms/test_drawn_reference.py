"""A planogram without a photo is judged by a drawing of its products' pictures."""

from dataclasses import replace

import numpy as np

from planograms.drawn_reference import GROUND, draw_reference
from planograms.judge import judge_observation, prepare
from tests.planograms.drawn import SECOND, observed, photo_of, photographed, planogram, shelf

PLAN = replace(planogram(), reference=None)
READY = prepare(PLAN)


def test_pictures_stand_in_their_places_and_the_rest_is_grey() -> None:
    red = np.full((20, 10, 3), (200, 0, 0), np.uint8)
    boxes = np.array([[0.0, 0, 10, 45], [20, 0, 30, 45], [40, 0, 50, 45]])
    drawn = draw_reference(boxes, [red, None, red], width=60, height=50)
    assert drawn is not None
    assert drawn.shown.tolist() == [True, False, True]
    assert drawn.scale == 2.0  # 45 units are 90 px
    assert drawn.rgb.shape == (100, 120, 3)
    assert (drawn.rgb[40, 10] == (200, 0, 0)).all()
    assert (drawn.rgb[40, 50] == GROUND).all()


def test_no_pictures_no_drawing() -> None:
    boxes = np.array([[0.0, 0, 10, 45]])
    assert draw_reference(boxes, [None], width=60, height=50) is None
    bare = tuple(replace(product, pictures=()) for product in PLAN.products)
    assert prepare(replace(PLAN, products=bare)).reference is None


def test_a_shelf_as_planned_is_calm_without_a_reference_photo() -> None:
    judgement = judge_observation(photo_of(photographed(shelf())), observed(plane=SECOND), READY)
    assert judgement.registration.by == "facings"
    assert judgement.findings == ()


def test_what_the_detector_alone_missed_is_not_claimed_without_a_reference_photo() -> None:
    seen = observed(plane=SECOND, without=[10])
    judgement = judge_observation(photo_of(photographed(shelf())), seen, READY)
    assert judgement.findings == ()


def test_what_is_gone_is_claimed_without_a_reference_photo() -> None:
    seen = observed(plane=SECOND, without=[2, 11])
    judgement = judge_observation(photo_of(photographed(shelf(without=[2, 11]))), seen, READY)
    assert {finding.position for finding in judgement.findings} == {"r0-p03", "r1-p04"}
    assert {finding.kind for finding in judgement.findings} == {"missing"}
