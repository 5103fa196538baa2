"""A second exposure moves what it says it moves; erasing changes what it is told to erase."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storepulse.simulated.exposures import ERASE_MARGIN, erase_facings, expose_again, map_boxes
from storepulse.simulated.shelves import draw_shelf


def test_erased_places_change_and_the_rest_does_not() -> None:
    shelf = draw_shelf(1)
    boxes = [facing.box_xyxy_px for facing in shelf.facings_of(shelf.main_push)[:3]]
    erased = erase_facings(shelf.rgb, boxes, seed=7)
    changed = (erased != shelf.rgb).any(axis=2)
    allowed = np.zeros_like(changed)
    x1, x2 = min(box[0] for box in boxes), max(box[2] for box in boxes)
    y1, y2 = min(box[1] for box in boxes), max(box[3] for box in boxes)
    grow = ERASE_MARGIN * (y2 - y1) + 1
    allowed[int(y1 - grow) : int(y2 + 2), int(x1 - grow) : int(x2 + grow) + 1] = True
    assert not changed[~allowed].any()
    for box in boxes:
        left, top, right, bottom = (round(edge) for edge in box)
        assert changed[top:bottom, left:right].mean() > 0.95


def test_an_erased_place_is_darker_than_the_packs_and_not_flat() -> None:
    shelf = draw_shelf(2)
    boxes = [facing.box_xyxy_px for facing in shelf.facings_of(shelf.main_push)[:3]]
    erased = erase_facings(shelf.rgb, boxes, seed=7)
    left, top, right, bottom = (round(edge) for edge in boxes[1])
    was, bare = shelf.rgb[top:bottom, left:right], erased[top:bottom, left:right]
    assert bare[: (bottom - top) * 8 // 10].mean() < 0.6 * was.mean()
    assert bare.std() > 3


def test_erasing_nothing_gives_the_same_picture() -> None:
    rgb = draw_shelf(1).rgb
    assert np.array_equal(erase_facings(rgb, [], seed=1), rgb)


def test_erasing_leaves_the_given_picture_alone() -> None:
    shelf = draw_shelf(1)
    before = shelf.rgb.copy()
    erase_facings(shelf.rgb, [shelf.facings[0].box_xyxy_px], seed=1)
    assert np.array_equal(shelf.rgb, before)


def test_a_mapped_box_holds_what_the_box_held() -> None:
    rgb = np.full((600, 800, 3), 60, np.uint8)
    box = (300.0, 200.0, 360.0, 320.0)
    rgb[200:320, 300:360] = (220, 40, 40)
    second = expose_again(rgb, seed=3)
    x1, y1, x2, y2 = map_boxes([box], second.homography)[0]
    redness = second.rgb[..., 0].astype(int) - second.rgb[..., 1]
    red_y, red_x = np.nonzero(redness > 60)
    assert np.allclose([red_x.min(), red_y.min(), red_x.max(), red_y.max()], [x1, y1, x2, y2],
                       atol=4)  # fmt: skip


def test_without_perspective_nothing_moves() -> None:
    second = expose_again(draw_shelf(1).rgb, seed=3, perspective=0)
    assert np.allclose(second.homography, np.eye(3), atol=1e-9)
    assert map_boxes([(1, 2, 3, 4)], second.homography) == [pytest.approx((1, 2, 3, 4))]


def test_no_boxes_map_to_no_boxes() -> None:
    assert map_boxes([], np.eye(3)) == []


def test_the_same_seed_exposes_the_same_way() -> None:
    rgb = draw_shelf(1).rgb
    assert np.array_equal(expose_again(rgb, seed=4).rgb, expose_again(rgb, seed=4).rgb)
    assert not np.array_equal(expose_again(rgb, seed=4).rgb, expose_again(rgb, seed=5).rgb)


def test_a_wild_perspective_is_refused() -> None:
    with pytest.raises(ValueError, match="perspective"):
        expose_again(np.zeros((40, 40, 3), np.uint8), seed=1, perspective=0.2)


@given(
    seed=st.integers(0, 2**31),
    x=st.floats(0, 900),
    y=st.floats(0, 700),
    wide=st.floats(0.1, 300),
    tall=st.floats(0.1, 300),
)
def test_any_box_can_be_erased(seed: int, x: float, y: float, wide: float, tall: float) -> None:
    rgb = np.full((200, 240, 3), 128, np.uint8)
    assert erase_facings(rgb, [(x, y, x + wide, y + tall)], seed=seed).shape == rgb.shape
