"""Filmed shelves: each picture's truth is where the shelf is, and errors are told as they are."""

import cv2
import numpy as np
import pytest

from storepulse.errors import BadInput
from storepulse.eval.ar import judged
from storepulse.eval.live_page import SeenPicture, Watched, built_worker
from storepulse.simulated.camera_videos import TAKES, Pose, Take, Video, film
from storepulse.simulated.shelves import draw_shelf

AWAY = Take(0.4, lambda at: Pose(right=3.0 if 0.3 < at < 0.7 else 0.0))


@pytest.fixture(scope="module")
def video() -> Video:
    return film(draw_shelf(1).rgb, AWAY, seed=3)


def watched(video: Video, *, off_px: float = 0.0, hide: tuple[int, ...] = ()) -> Watched:
    """A worker that knows the truth, or is off by so many pixels to the right."""
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    shift = np.array([[1, 0, off_px], [0, 1, 0], [0, 0, 1]])
    seen = tuple(
        SeenPicture(
            n, "lost" if n in hide else "tracking",
            None if n in hide else shift @ half @ plane @ np.linalg.inv(half), 5.0, 1.0,
        )
        for n, plane in enumerate(video.planes)
    )  # fmt: skip
    return Watched(100.0, seen, 60.0)


def test_a_film_shows_the_shelf_where_its_truth_says(video: Video) -> None:
    size = (video.pictures.shape[2], video.pictures.shape[1])
    for number in (0, 11):
        plane = video.planes[number]
        due = cv2.warpPerspective(video.photo, plane, size, flags=cv2.INTER_AREA)
        inside = cv2.warpPerspective(np.ones_like(video.photo), plane, size) > 0
        alike = np.corrcoef(due[inside], video.pictures[number][inside])[0, 1]
        beside = np.corrcoef(np.roll(due, 3, axis=1)[inside], video.pictures[number][inside])[0, 1]
        assert alike > 0.9
        assert alike > beside + 0.05


@pytest.mark.parametrize(("off_px", "percent"), [(0.0, 0.0), (4.8, 1.0)])
def test_an_error_is_told_in_percent_of_the_width(
    video: Video, off_px: float, percent: float
) -> None:
    points = np.array([[400.0, 300.0], [900.0, 600.0]])
    found = judged(watched(video, off_px=off_px), video, points, points)
    assert found.errors
    np.testing.assert_allclose(found.errors, percent, atol=1e-6)


def test_a_loss_is_timed_from_when_the_shelf_is_gone(video: Video) -> None:
    points = np.stack(np.meshgrid([200.0, 600, 1000], [200.0, 500, 800]), axis=-1).reshape(-1, 2)
    gone = next(n for n, plane in enumerate(video.planes) if plane[0, 2] > 700)
    late = judged(watched(video, hide=tuple(range(gone + 2, 10))), video, points, points, away=True)
    assert late.lost_ms == [pytest.approx(2000 / 30)]
    never = judged(watched(video), video, points, points, away=True)
    assert never.lost_ms == [float("inf")]


def test_takes_last_a_few_seconds_each() -> None:
    assert all(1 <= take.seconds <= 5 for take in TAKES.values())


def test_pages_that_are_not_built_are_said_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(BadInput, match="make pages"):
        built_worker(tmp_path_factory.mktemp("empty"))
