"""Figures of what the detector saw: how large facings are, and which sides have none."""

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


def test_a_photo_from_twice_as_far_has_facings_of_half_the_size() -> None:
    boxes = shelf(uneven=True)
    near, far = seen(boxes), seen(boxes / 2)
    for name in ("short_50", "area_root_50", "area_root_90"):
        assert near[name] - far[name] == pytest.approx(np.log(2), abs=0.01), name
    assert far["covered"] == pytest.approx(near["covered"] / 4, rel=0.05)


def test_what_is_only_half_seen_counts_beside_what_is_seen() -> None:
    boxes = shelf().astype(np.float32)
    scores = np.full(len(boxes), 0.8, np.float32)
    all_, few = Found(boxes, scores), Found(boxes[::4], scores[::4])
    place = LOOK_CLUE_NAMES.index("half_seen_ratio")
    picture = np.full((TALL, WIDE, 3), 90, np.uint8)
    assert look_clues(all_, all_, picture)[place] == pytest.approx(0)
    assert look_clues(few, all_, picture)[place] == pytest.approx(np.log(4), abs=0.05)


@pytest.mark.parametrize("side", ["left", "right", "top", "foot"])
def test_a_side_without_facings_stands_against_one_that_cuts_them(side: str) -> None:
    far = 0.2
    shift = {"left": (far, 0), "right": (-far, 0), "top": (0, far), "foot": (0, -far)}[side]
    boxes = shelf() + np.tile(np.array(shift) * [WIDE, TALL], 2)
    boxes = boxes.clip(0, [WIDE, TALL, WIDE, TALL])
    boxes = boxes[((boxes[:, 2:] - boxes[:, :2]) > 8).all(axis=1)]
    clues = seen(boxes)
    for name in ("far", "barest"):
        assert clues[f"{name}_is_{side}"] == 1
        assert clues[f"{name}_bare_0.08"] == pytest.approx(far, abs=0.08)
    assert clues["cut_against"] > 0.5 * far
    assert clues["far_step_at"] == pytest.approx(far, abs=0.06)
    assert seen(shelf())["far_bare_0.08"] < 0.06


def test_a_stray_box_in_a_margin_does_not_end_it() -> None:
    boxes = shelf() + np.array([300, 0, 300, 0])
    boxes = boxes[boxes[:, 0] < WIDE - 8].clip(0, [WIDE, TALL, WIDE, TALL])
    clean = seen(boxes)["far_bare_0.08"]
    stray = seen(np.concatenate([boxes, [[10.0, 200.0, 40.0, 260.0]]]))
    assert stray["far_bare_0.08"] == pytest.approx(clean, abs=0.03)
    assert clean > 0.2


def test_a_plain_wall_is_told_from_what_is_as_rough_as_packs() -> None:
    rgb = np.random.default_rng(0).integers(60, 200, (TALL, WIDE, 3)).astype(np.uint8)
    boxes = shelf()
    boxes = boxes[boxes[:, 2] < 0.8 * WIDE]
    rough = seen(boxes, rgb)
    rgb[:, round(0.82 * WIDE) :] = 120
    plain = seen(boxes, rgb)
    assert plain["far_bare_0.08"] == rough["far_bare_0.08"] > 0.15
    assert rough["far_plain_0.11"] < 0.5 < plain["far_plain_0.11"]
    assert plain["far_margin_light"] < rough["far_margin_light"]
    assert rough["far_calm_0.5"] < 0.1 < plain["far_calm_0.5"]


def test_facings_of_a_shelf_seen_from_its_side_grow_across_it() -> None:
    front = shelf()
    near = 0.6 + 0.8 * ((front[:, [0]] + front[:, [2]]) / 2 / WIDE)
    middle, half = (front[:, 1::2]).mean(axis=1, keepdims=True), np.diff(front[:, 1::2]) / 2
    aside = front.copy()
    aside[:, [1]], aside[:, [3]] = middle - near * half, middle + near * half
    assert seen(front)["tall_across"] == pytest.approx(0, abs=0.02)
    assert seen(aside)["tall_across"] == pytest.approx(np.log(1.4 / 0.6), abs=0.15)
    assert seen(aside)["wide_across"] == pytest.approx(0, abs=0.02)


def test_the_size_of_the_picture_changes_nothing() -> None:
    boxes = shelf(uneven=True)
    rgb = np.random.default_rng(0).integers(0, 255, (TALL // 8, WIDE // 8, 3)).astype(np.uint8)
    small, large = (
        seen(boxes * by, np.kron(rgb, np.ones((8 * by, 8 * by, 1), np.uint8))) for by in (1, 2)
    )
    for name in ("short_50", "facings", "covered", "far_bare_0.08", "far_plain_0.11", "tall_down"):
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
