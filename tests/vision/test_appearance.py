"""How facings look, and how alike they are."""

import time

import cv2
import numpy as np
import pytest

from vision.appearance import (
    DIMENSIONS,
    UNDECIDED,
    describe,
    distance,
    distance_by_pair,
    edge_strength,
    light_between,
    light_of,
    likeness,
    relit,
)

BOXES = [(10 + 60 * k, 20, 60 + 60 * k, 110) for k in range(6)]


def shelf() -> np.ndarray:
    """Six products side by side, each a pattern of its own."""
    random = np.random.default_rng(1)
    picture = np.full((140, 400, 3), 120, np.uint8)
    for x1, y1, x2, y2 in BOXES:
        coarse = random.integers(0, 255, (6, 4, 3), dtype=np.uint8)
        front = cv2.resize(coarse, (x2 - x1, y2 - y1), interpolation=cv2.INTER_NEAREST)
        picture[y1:y2, x1:x2] = front
    return picture


def darker(picture: np.ndarray) -> np.ndarray:
    seen = np.clip((picture / 255.0) ** 1.2 * 0.8 * 255, 0, 255).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(seen, (0, 0), 0.8))


def test_no_boxes_give_no_descriptions() -> None:
    assert describe(shelf(), []).shape == (0, DIMENSIONS)
    assert edge_strength(shelf(), []).shape == (0,)


def test_a_crop_is_at_no_distance_from_itself() -> None:
    looks = describe(shelf(), BOXES)
    assert np.diag(distance(looks, looks)) == pytest.approx(0, abs=1e-3)
    assert likeness(0.0) > 0.99


def test_a_product_in_other_light_is_nearer_than_any_other_product() -> None:
    before, after = describe(shelf(), BOXES), describe(darker(shelf()), BOXES)
    apart = distance(before, after)
    assert (apart.argmin(axis=1) == np.arange(6)).all()
    others = apart[~np.eye(6, dtype=bool)]
    assert np.diag(apart).max() < UNDECIDED < others.min()


def test_taking_the_light_out_brings_the_same_goods_nearer() -> None:
    before, after = describe(shelf(), BOXES), describe(darker(shelf()), BOXES)
    raw = distance_by_pair(before, after)
    for light in (light_between(before, after), light_of(before, after)):
        assert distance_by_pair(relit(before, light), after).mean() < raw.mean()


def test_few_pairs_tell_no_light() -> None:
    looks = describe(shelf(), BOXES[:4])
    assert (light_between(looks, looks + 1) == 0).all()
    assert (light_of(looks[:0], looks) == 0).all()


def test_pairs_and_tables_of_distances_agree() -> None:
    before, after = describe(shelf(), BOXES), describe(darker(shelf()), BOXES)
    assert distance_by_pair(before, after) == pytest.approx(
        np.diag(distance(before, after)), abs=1e-3
    )


def test_a_bare_stretch_has_no_edges() -> None:
    edges = edge_strength(shelf(), [BOXES[0], (375, 20, 399, 110)])
    assert edges[1] < 0.1 * edges[0]


def test_boxes_that_leave_the_picture_are_described_by_what_is_inside() -> None:
    looks = describe(shelf(), [(-50, -50, 30, 60), (390, 130, 900, 900), (5000, 5000, 5010, 5010)])
    assert np.isfinite(looks).all()


def test_three_hundred_crops_take_well_under_their_share_of_a_second() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (1500, 2000, 3), dtype=np.uint8)
    boxes = [(50 * (k % 30), 140 * (k // 30), 50 * (k % 30) + 60, 140 * (k // 30) + 100)
             for k in range(300)]  # fmt: skip
    # Processor time: the bound must hold whatever else the machine does.
    spent = []
    for _ in range(3):
        started = time.process_time()
        describe(picture, boxes)
        spent.append(time.process_time() - started)
    assert min(spent) < 0.3
