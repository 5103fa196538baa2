"""More photos to learn the verdict from: dim ones are dim, and still show what they showed."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from storepulse.simulated.packs import Rgb
from storepulse.simulated.shelves import draw_shelf
from vision.photos import WORKING_LONG_PX
from vision.training.verdict_trials import GOOD
from vision.training.wider_trials import AGAIN, DIM, MORE_WRONG, RAW, in_little_light, wider_of


@pytest.fixture(scope="module")
def shelf() -> Rgb:
    drawn = draw_shelf(3).rgb
    return np.asarray(cv2.resize(drawn, (640, 480), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.mark.parametrize("seed", range(6))
def test_little_light_takes_light_and_leaves_the_picture(shelf: Rgb, seed: int) -> None:
    dim = in_little_light(shelf, np.random.default_rng(seed), resized=False)
    assert dim.shape == shelf.shape
    before, after = (cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in (shelf, dim))
    assert after.mean() < 0.95 * before.mean()
    soft = [cv2.blur(one, (9, 9)).astype(float).ravel() for one in (before, after)]
    assert np.corrcoef(soft[0], soft[1])[0, 1] > 0.9


def test_dim_photos_have_the_sizes_on_which_a_node_works(shelf: Rgb) -> None:
    sides = [max(in_little_light(shelf, np.random.default_rng(k)).shape) for k in range(4)]
    assert min(sides) >= 1279
    assert max(sides) <= WORKING_LONG_PX + 1
    assert len(set(sides)) > 1


def test_each_photo_gives_good_ones_and_ones_gone_wrong(shelf: Rgb, tmp_path: Path) -> None:
    path = tmp_path / "shelf.png"
    cv2.imwrite(str(path), shelf[..., ::-1])
    first, again = list(wider_of(path, 5)), list(wider_of(path, 5))
    kinds = [trial.kind for trial in first]
    assert {GOOD, DIM, RAW, AGAIN, "off_a_screen", *MORE_WRONG} <= set(kinds)
    assert kinds.count("turned") == MORE_WRONG["turned"]
    assert {trial.group for trial in first} == {"shelf"}
    assert all((a.rgb == b.rgb).all() for a, b in zip(first, again, strict=True))
    for trial in first:
        assert (trial.level > 0) == (not trial.kind.startswith(GOOD))
