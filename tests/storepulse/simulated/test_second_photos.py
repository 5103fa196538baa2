"""Harder second photos: what is said to be true of them is."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storepulse.simulated.second_photos import (
    CONDITIONS,
    Changes,
    Condition,
    second_photo,
    view_of,
)

STILL = Condition(
    shift=0, view=(1, 1), slant=0, tilt=0, parallax=0, deep=0, put_back=0, light=(1, 1),
    scale=(1, 1),
)  # fmt: skip
BOXES = [(60.0 * k + 20, 120.0 * row + 20, 60.0 * k + 70, 120.0 * row + 110)
         for row in range(3) for k in range(8)]  # fmt: skip
ROWS = [row for row in range(3) for _ in range(8)]


def picture() -> np.ndarray:
    """24 packs, each of a colour of its own."""
    out = np.full((400, 520, 3), 30, np.uint8)
    for number, (x1, y1, x2, y2) in enumerate(BOXES):
        colour = (60 + 8 * number, 255 - 8 * number, 40 + 90 * (number % 3))
        cv2.rectangle(out, (int(x1), int(y1)), (int(x2), int(y2)), colour, -1)
    return out


def colour_at(rgb: np.ndarray, box: np.ndarray) -> np.ndarray:
    x, y = int((box[0] + box[2]) / 2), int((box[1] + box[3]) / 2)
    return rgb[max(0, y - 3) : y + 4, max(0, x - 3) : x + 4].reshape(-1, 3).mean(axis=0)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from(sorted(CONDITIONS)))
def test_a_seed_fixes_the_camera_whatever_changed_on_the_shelf(seed: int, name: str) -> None:
    condition = CONDITIONS[name]
    one = second_photo(picture(), BOXES, ROWS, condition, seed=seed)
    again = second_photo(picture(), BOXES, ROWS, condition, seed=seed)
    bare = second_photo(
        picture(), BOXES, ROWS, condition, seed=seed, changes=Changes(erased=[3, 9])
    )
    assert (one.rgb == again.rgb).all()
    assert one.rgb.shape == bare.rgb.shape
    assert one.places_px.shape == (24, 4)
    assert ((one.hidden >= 0) & (one.hidden <= 1)).all()


@pytest.mark.parametrize("seed", range(5))
def test_places_are_where_the_packs_are(seed: int) -> None:
    told = second_photo(picture(), BOXES, ROWS, CONDITIONS["a step aside"], seed=seed)
    first = picture()
    near = []
    for box, place, hidden in zip(BOXES, told.places_px, told.hidden, strict=True):
        if hidden < 0.05:
            was, now = colour_at(first, np.array(box)), colour_at(told.rgb, place)
            near.append(np.abs(was / was.sum() - now / now.sum()).max() < 0.08)
    assert len(near) >= 6
    # Goods behind the front may stand under others.
    assert np.mean(near) >= 0.8


def test_erased_packs_are_gone_and_replaced_ones_are_others() -> None:
    told = second_photo(
        picture(), BOXES, ROWS, STILL, seed=1, changes=Changes(erased=[2], replaced={5: 20})
    )
    first = picture()
    assert colour_at(told.rgb, told.places_px[2]).max() < 70
    put = colour_at(told.rgb, told.places_px[5])
    assert np.abs(put - colour_at(first, np.array(BOXES[20]))).max() < 40
    same = colour_at(told.rgb, told.places_px[10])
    assert np.abs(same - colour_at(first, np.array(BOXES[10]))).max() < 40


def test_what_is_blocked_or_beyond_the_edge_is_said_to_be_hidden() -> None:
    half = second_photo(picture(), BOXES, ROWS, CONDITIONS["half in view"], seed=3)
    x = (half.places_px[:, 0] + half.places_px[:, 2]) / 2
    beyond = (x < 0) | (x > half.rgb.shape[1])
    assert beyond.sum() >= 6
    assert (half.hidden[beyond] >= 0.5).all()
    shares = [
        (second_photo(picture(), BOXES, ROWS, CONDITIONS["blocked"], seed=k).hidden > 0.5).mean()
        for k in range(4)
    ]
    assert max(shares) > 0.1


def test_a_view_lies_inside_the_picture() -> None:
    rgb, plane = view_of(picture(), CONDITIONS["a step aside"], seed=2)
    corners = np.array([[[0.0, 0.0]], [[rgb.shape[1], 0]], [[0, rgb.shape[0]]]])
    back = cv2.perspectiveTransform(corners, np.linalg.inv(plane))[:, 0]
    assert (back > -1).all()
    assert (back < [521, 401]).all()
