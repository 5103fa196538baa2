"""The verdict: photos that cannot be judged are refused, and the reason says what to do."""

import numpy as np
import pytest

from vision.detector import Found
from vision.photos import Photo
from vision.verdict import (
    SENTENCES,
    measure_quality,
    reasons_after_looking,
    reasons_before_looking,
)


def photo(rgb: np.ndarray) -> Photo:
    return Photo("shelf", rgb.shape[1], rgb.shape[0], rgb, 1.0)


def busy(width: int = 1200, height: int = 900, light: float = 1.0) -> np.ndarray:
    cells = np.random.default_rng(1).integers(0, 230, (height // 8, width // 8, 3))
    return (np.kron(cells, np.ones((8, 8, 1), int)) * light).astype(np.uint8)


def blurred(rgb: np.ndarray, px: int) -> np.ndarray:
    """Averaged over windows of so many pixels."""
    rows = np.cumsum(rgb, axis=0, dtype=np.float64)
    rows = (rows[px:] - rows[:-px]) / px
    both = np.cumsum(rows, axis=1)
    return ((both[:, px:] - both[:, :-px]) / px).astype(np.uint8)


@pytest.mark.parametrize(
    ("rgb", "reasons"),
    [
        pytest.param(busy(), (), id="a good photo"),
        pytest.param(busy(light=0.3), (), id="a dim one can still be judged"),
        pytest.param(busy(320, 240), (), id="a small one too"),
        pytest.param(busy(light=0.05), ("too_dark",), id="dark"),
        pytest.param(blurred(busy(), 90), ("blurred",), id="blurred"),
        pytest.param(busy(200, 160), ("too_small",), id="too small"),
        pytest.param(busy(200, 160, 0.05), ("too_small", "too_dark"), id="two reasons"),
        pytest.param(np.full((900, 1200, 3), 128, np.uint8), ("blurred",), id="a plain wall"),
        pytest.param(np.zeros((1, 1, 3), np.uint8), ("too_small", "too_dark"), id="one pixel"),
    ],
)
def test_what_can_be_judged(rgb: np.ndarray, reasons: tuple[str, ...]) -> None:
    assert reasons_before_looking(measure_quality(photo(rgb))) == reasons


def test_a_sharp_shelf_beside_a_plain_wall_is_sharp() -> None:
    half = np.full((896, 1200, 3), 180, np.uint8)
    half[:, :600] = busy(600, 896)
    assert reasons_before_looking(measure_quality(photo(half))) == ()


@pytest.mark.parametrize(
    ("scores", "reasons"),
    [
        pytest.param([], ("no_shelf",), id="nothing"),
        pytest.param([0.9, 0.9, 0.8], ("no_shelf",), id="too few"),
        pytest.param([0.4] * 9, ("no_shelf",), id="none sure"),
        pytest.param([0.8, 0.4, 0.4, 0.3], (), id="a nearly empty shelf"),
    ],
)
def test_a_shelf_needs_facings(scores: list[float], reasons: tuple[str, ...]) -> None:
    boxes = np.zeros((len(scores), 4), np.float32)
    assert reasons_after_looking(Found(boxes, np.array(scores, np.float32))) == reasons


def test_every_reason_says_what_to_do_in_both_languages() -> None:
    for sentence in SENTENCES.values():
        assert ";" in sentence.en
        assert "；" in sentence.zh
