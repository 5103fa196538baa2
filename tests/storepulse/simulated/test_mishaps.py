"""Mishaps do what their level says, and say where each point of the good photo has gone."""

import cv2
import numpy as np
import pytest

from storepulse.simulated.mishaps import (
    LONG_PX,
    MISHAPS,
    by_jpeg,
    darkened,
    framed_well,
    glaring,
    moved,
    surroundings,
    unfocused,
)

MARK = (520.0, 430.0)


@pytest.fixture
def marked() -> np.ndarray:
    """Grey with a red disc round `MARK`."""
    rgb = np.full((960, LONG_PX, 3), 90, np.uint8)
    return cv2.circle(rgb, (int(MARK[0]), int(MARK[1])), 40, (250, 30, 30), -1)


def centre_of_red(rgb: np.ndarray) -> np.ndarray:
    red = rgb[..., 0].astype(int) - rgb[..., 1:].max(axis=2)
    y, x = np.nonzero(red > 0.5 * red.max())
    return np.array([x.mean(), y.mean()])


@pytest.mark.parametrize(
    ("mishap", "level"),
    [
        ("moved", 9.0), ("unfocused", 9.0), ("turned", 30.0), ("distant", 1.5), ("cut_off", 0.2),
        ("off_a_screen", 1.5),
    ],
)  # fmt: skip
@pytest.mark.parametrize("seed", [1, 2])
def test_a_point_is_where_the_homography_says(
    marked: np.ndarray, mishap: str, level: float, seed: int
) -> None:
    bad = MISHAPS[mishap](marked, level, np.random.default_rng(seed))
    there = cv2.perspectiveTransform(np.array([[MARK]]), bad.homography)[0, 0]
    if mishap == "distant":  # its neighbours are mirrored: look at the bay alone
        far = bad.rgb[:, :, :].copy()
        x, y = there.astype(int)
        window = np.zeros(far.shape[:2], bool)
        window[max(0, y - 60) : y + 60, max(0, x - 60) : x + 60] = True
        far[~window] = 0
        assert np.hypot(*(centre_of_red(far) - there)) < 6
        return
    assert np.hypot(*(centre_of_red(bad.rgb) - there)) < 6


def test_blur_is_as_wide_as_its_level() -> None:
    dot = np.zeros((201, 201, 3), np.uint8)
    dot[95:106, 95:106] = 255
    rng = np.random.default_rng(0)
    for level in (5.0, 15.0):
        round_ = unfocused(dot, level, rng).rgb[..., 0] > 2
        assert abs(round_[100].sum() - (11 + level)) <= 3
        along = moved(dot, level, rng).rgb[..., 0] > 2
        y, x = np.nonzero(along)
        assert 11 <= max(np.ptp(x), np.ptp(y)) + 1 <= 11 + level + 3


def test_light_falls_as_its_level_says() -> None:
    grey = np.full((300, 300, 3), 186, np.uint8)  # half of all light
    for level in (4.0, 16.0):
        seen = darkened(grey, level, np.random.default_rng(0)).rgb / 255
        assert (seen**2.2).mean() == pytest.approx(0.5 / level, rel=0.15)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.4])
def test_glare_takes_about_its_share(share: float) -> None:
    dark = np.full((480, 640, 3), 30, np.uint8)
    white = (glaring(dark, share, np.random.default_rng(4)).rgb.min(axis=2) > 180).mean()
    assert white == pytest.approx(share, abs=0.06)


def test_another_good_photo_is_at_the_long_side_and_mapped(marked: np.ndarray) -> None:
    seen, where = framed_well(marked, np.random.default_rng(2))
    assert max(seen.shape[:2]) == LONG_PX
    there = cv2.perspectiveTransform(np.array([[MARK]]), where)[0, 0]
    assert np.hypot(*(centre_of_red(by_jpeg(seen, np.random.default_rng(0))) - there)) < 6


@pytest.mark.parametrize("size", [(1, 1), (640, 3), (200, 300)])
def test_surroundings_fit_any_place(size: tuple[int, int]) -> None:
    for seed in range(4):
        drawn = surroundings(*size, np.random.default_rng(seed))
        assert drawn.shape == (size[1], size[0], 3)
        assert drawn.dtype == np.uint8
