"""Conditions change what they say and nothing else, and boxes go where their packs go."""

import numpy as np
import pytest

from storepulse.simulated.conditions import (
    CONDITIONS,
    GAMMA,
    glared,
    lit,
    moved,
    shrunk,
    smear_kernel,
    squeezed,
    turned,
)
from storepulse.simulated.exposures import map_boxes

GREY = np.full((240, 320, 3), 128, np.uint8)
BOX = (120.0, 80.0, 180.0, 170.0)


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def with_a_red_pack() -> np.ndarray:
    picture = np.full((240, 320, 3), 90, np.uint8)
    x1, y1, x2, y2 = map(int, BOX)
    picture[y1:y2, x1:x2] = (250, 20, 20)
    return picture


@pytest.mark.parametrize(
    "condition", [turned(15), turned(30), turned(45), shrunk(0.5)], ids=lambda one: one.name
)
def test_a_box_goes_where_its_pack_goes(condition):
    under = condition.change(with_a_red_pack(), rng())
    red = (under.rgb[..., 0] > 150) & (under.rgb[..., 1] < 80)
    rows, columns = np.nonzero(red)
    seen = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert map_boxes([BOX], under.homography)[0] == pytest.approx(seen, abs=2.0)


@pytest.mark.parametrize("degrees", [15, 30, 45])
def test_a_turned_camera_sees_the_whole_bay_at_the_same_length(degrees):
    under = turned(degrees).change(GREY, rng())
    assert max(under.rgb.shape[:2]) == pytest.approx(320, abs=1)
    [whole] = map_boxes([(0, 0, 320, 240)], under.homography)
    height, width = under.rgb.shape[:2]
    assert whole == pytest.approx((0, 0, width, height), abs=1.0)


def test_a_camera_that_is_not_turned_sees_the_photo():
    under = turned(0).change(with_a_red_pack(), rng())
    assert np.array_equal(under.rgb, with_a_red_pack())


@pytest.mark.parametrize("share", [1 / 2, 1 / 4, 1 / 8])
def test_less_light_is_less_in_linear_light_and_noisier_where_it_is_seen(share):
    under = lit(share).change(GREY, rng()).rgb.astype(float) / 255
    was = (128 / 255) ** GAMMA
    assert (under**GAMMA).mean() == pytest.approx(share * was, rel=0.05)
    noise = under.std() / under.mean()
    bright = lit(1.0).change(GREY, rng()).rgb.astype(float) / 255
    assert noise > bright.std() / bright.mean()


@pytest.mark.parametrize("length_px", [1, 3, 7, 15])
@pytest.mark.parametrize("angle", [0.0, 0.7, 1.57, 2.5])
def test_a_smear_keeps_the_light_and_is_as_long_as_it_says(length_px, angle):
    kernel = smear_kernel(length_px, angle)
    assert kernel.sum() == pytest.approx(1)
    rows, columns = np.nonzero(kernel)
    long = max(np.ptp(rows), np.ptp(columns)) + 1
    assert length_px * 0.65 <= long <= length_px


def test_glare_washes_out_about_a_tenth():
    under = glared(0.1).change(np.full((480, 640, 3), 60, np.uint8), rng())
    assert (under.rgb.min(axis=2) > 180).mean() == pytest.approx(0.1, abs=0.03)


def test_jpeg_changes_little_and_moves_nothing():
    under = squeezed(30).change(with_a_red_pack(), rng())
    assert under.rgb.shape == (240, 320, 3)
    assert abs(under.rgb.astype(int) - with_a_red_pack()).mean() < 6
    assert np.array_equal(under.homography, np.eye(3))


def test_the_same_draw_gives_the_same_picture_and_the_photo_stays():
    picture = with_a_red_pack()
    for condition in CONDITIONS:
        first, second = (condition.change(picture, rng()).rgb for _ in range(2))
        assert np.array_equal(first, second), condition.name
    assert np.array_equal(picture, with_a_red_pack())


@pytest.mark.parametrize(
    ("make", "value"),
    [(turned, 60), (turned, -1), (lit, 0), (lit, 1.5), (moved, 0), (glared, 0.5), (squeezed, 0),
     (shrunk, 0)],
)  # fmt: skip
def test_impossible_conditions_are_refused(make, value):
    with pytest.raises(ValueError, match=str(value)):
        make(value)
