"""Figures of what the detector saw: perspective, what is bare and white, sides without facings."""

import cv2
import numpy as np
import pytest

from vision.detector import Found
from vision.look_clues import LOOK_CLUE_NAMES, look_clues

WIDE, TALL = 1280, 960
Boxes = np.ndarray


def shelf(*, uneven: bool = False) -> Boxes:
    """Six rows over the whole picture, of packs of one size or of very different ones."""
    rng = np.random.default_rng(4)
    boxes = []
    for row in range(6):
        left, foot = 4.0, 155.0 * (row + 1)
        while left < WIDE - 60:
            wide, tall = (rng.uniform(30, 90), rng.uniform(80, 140)) if uneven else (46, 120)
            boxes.append((left, foot - tall, left + wide, foot))
            left += wide + 3
    return np.array(boxes, np.float64)


def seen(boxes: Boxes, rgb: np.ndarray | None = None) -> dict[str, float]:
    found = Found(boxes.astype(np.float32), np.full(len(boxes), 0.8, np.float32))
    picture = np.full((TALL, WIDE, 3), 90, np.uint8) if rgb is None else rgb
    return dict(zip(LOOK_CLUE_NAMES, look_clues(found, found, picture).tolist(), strict=True))


def from_the_side(boxes: Boxes, slope: float) -> Boxes:
    """The plane's sizes shrink by `slope` for each long side of the way across."""
    middle = np.array([WIDE / 2, TALL / 2])
    view = np.eye(3)
    view[2, 0] = slope / WIDE
    corners = boxes[:, [[0, 1], [2, 1], [2, 3], [0, 3]]] - middle
    there = cv2.perspectiveTransform(corners.reshape(1, -1, 2), view).reshape(-1, 4, 2) + middle
    return np.concatenate([there.min(axis=1), there.max(axis=1)], axis=1)


@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize("slope", [-0.9, -0.5, 0.5, 0.9])
def test_a_shelf_seen_from_its_side_tells_how_far_aslant(slope: float, *, uneven: bool) -> None:
    clues = seen(from_the_side(shelf(uneven=uneven), slope))
    assert clues["aslant_middle"] == pytest.approx(abs(slope), rel=0.25)
    assert clues["lean_agreed"] > 0.6


@pytest.mark.parametrize("uneven", [False, True])
def test_packs_of_different_sizes_are_not_aslant(*, uneven: bool) -> None:
    clues = seen(shelf(uneven=uneven))
    assert clues["aslant_middle"] < 0.15
    assert clues["lean"] < 0.02


def test_white_that_hides_facings_is_told_from_white_packs() -> None:
    boxes = shelf()
    rgb = np.full((TALL, WIDE, 3), 90, np.uint8)
    rgb[300:600, 400:800] = 255
    white = seen(boxes, rgb)
    share = 300 * 400 / (TALL * WIDE)
    assert white["white_248"] == pytest.approx(share, rel=0.1)
    assert white["white_free_largest_248"] < 0.2 * share  # packs are seen on it
    inside = (boxes[:, 0] > 380) & (boxes[:, 2] < 820) & (boxes[:, 1] > 270) & (boxes[:, 3] < 630)
    hidden = seen(boxes[~inside], rgb)
    assert hidden["white_free_largest_248"] > 0.4 * share


@pytest.mark.parametrize("side", ["left", "right", "top", "foot"])
def test_a_side_without_facings_stands_against_one_that_cuts_them(side: str) -> None:
    far = 0.2
    shift = {"left": (far, 0), "right": (-far, 0), "top": (0, far), "foot": (0, -far)}[side]
    boxes = shelf() + np.tile(np.array(shift) * [WIDE, TALL], 2)
    boxes = boxes.clip(0, [WIDE, TALL, WIDE, TALL])
    boxes = boxes[((boxes[:, 2:] - boxes[:, :2]) > 8).all(axis=1)]
    clues = seen(boxes)
    assert clues["margin_far"] == pytest.approx(far, abs=0.06)
    assert clues["margin_far_upright"] == float(side in ("left", "right"))
    assert clues["touched_opposite"] > 0.5
    assert clues["touched_far"] == 0
    assert seen(shelf())["margin_far"] < 0.06


def test_the_size_of_the_picture_changes_nothing() -> None:
    boxes = from_the_side(shelf(uneven=True), 0.4)
    rgb = np.random.default_rng(0).integers(0, 255, (TALL // 8, WIDE // 8, 3)).astype(np.uint8)
    small, large = (
        seen(boxes * by, np.kron(rgb, np.ones((8 * by, 8 * by, 1), np.uint8))) for by in (1, 2)
    )
    for name in ("short_50", "aslant_middle", "covered", "margin_far", "white_free_228"):
        assert small[name] == pytest.approx(large[name], abs=0.02), name


@pytest.mark.parametrize("boxes", [0, 1, 3, 12])
@pytest.mark.parametrize("size", [(2, 2), (3, 400), (700, 5), (251, 251)])
def test_a_picture_of_any_size_with_any_boxes_has_clues(size: tuple[int, int], boxes: int) -> None:
    ends = np.sort(np.random.default_rng(boxes).uniform(0, 1, (boxes, 2, 2)), axis=1)
    inside = ends * [size[1], size[0]]
    found = Found(inside.reshape(-1, 4).astype(np.float32), np.full(boxes, 0.5, np.float32))
    values = look_clues(found, Found.nothing(), np.full((*size, 3), 200, np.uint8))
    assert values.shape == (len(LOOK_CLUE_NAMES),)
    assert np.isfinite(values).all()
