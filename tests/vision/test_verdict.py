"""The verdict: photos that cannot be judged are refused, and the reason says what to do."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from storepulse.errors import BadInput
from storepulse.simulated.mishaps import LONG_PX, MISHAPS, surroundings
from storepulse.simulated.shelves import draw_shelf
from vision.clues import CLUE_NAMES, clues_of
from vision.detector import Found
from vision.last_word import last_refusers, odds_after_looking
from vision.photos import Photo
from vision.verdict import (
    FAR_SHORT_PX,
    SENTENCES,
    VERDICT_VARIABLE,
    FirstWord,
    basic_reasons,
    chosen_verdict,
    first_word,
    reasons_after_looking,
    reasons_before_looking,
    refusers,
)

Rgb = np.ndarray
Codes = tuple[str, ...]


def photo(rgb: Rgb) -> Photo:
    return Photo("shelf", rgb.shape[1], rgb.shape[0], np.ascontiguousarray(rgb), 1.0)


@pytest.fixture(scope="module")
def shelf() -> Rgb:
    """At the size at which mishaps are drawn."""
    rgb = draw_shelf(7).rgb
    scale = LONG_PX / max(rgb.shape)
    return np.asarray(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


@pytest.mark.parametrize("seed", [101, 102, 103])
def test_a_drawn_shelf_is_usable(seed: int) -> None:
    assert reasons_before_looking(photo(draw_shelf(seed).rgb)) == ()


@pytest.mark.parametrize("light", [0.4, 0.7, 1.2])
def test_a_dim_or_bright_photo_can_still_be_judged(shelf: Rgb, light: float) -> None:
    lit = np.clip(shelf * light, 0, 255).astype(np.uint8)
    assert reasons_before_looking(photo(lit)) == ()


@pytest.mark.parametrize(
    ("mishap", "level", "reason"),
    [
        pytest.param("moved", 22, "blurred", id="the hand moved"),
        pytest.param("unfocused", 18, "blurred", id="out of focus"),
        pytest.param("darkened", 200, "too_dark", id="hardly any light"),
        pytest.param("glaring", 0.4, "glare", id="glare on two fifths"),
    ],
)
def test_a_hopeless_photo_is_refused_with_its_reason(
    shelf: Rgb, mishap: str, level: float, reason: str
) -> None:
    bad = MISHAPS[mishap](shelf, level, np.random.default_rng(1)).rgb
    assert reason in reasons_before_looking(photo(bad))


def test_a_wall_is_refused() -> None:
    wall = surroundings(1200, 900, np.random.default_rng(3))
    assert reasons_before_looking(photo(wall))


@pytest.mark.parametrize(
    ("rgb", "reasons"),
    [
        pytest.param(np.full((160, 200, 3), 150, np.uint8), ("too_small",), id="too small"),
        pytest.param(np.full((900, 1200, 3), 9, np.uint8), ("too_dark",), id="dark"),
        pytest.param(np.zeros((1, 1, 3), np.uint8), ("too_small",), id="one pixel"),
    ],
)
@pytest.mark.parametrize("asked", [basic_reasons, reasons_before_looking])
def test_size_and_light_come_first(
    rgb: Rgb, reasons: tuple[str, ...], asked: Callable[[Photo], tuple[str, ...]]
) -> None:
    assert asked(photo(rgb)) == reasons


def test_the_learnt_reasons_can_be_switched_off(
    shelf: Rgb, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = photo(MISHAPS["moved"](shelf, 25, np.random.default_rng(1)).rgb)
    assert chosen_verdict()(bad).codes
    monkeypatch.setenv(VERDICT_VARIABLE, "basic")
    assert chosen_verdict()(bad).codes == ()
    monkeypatch.setenv(VERDICT_VARIABLE, "none")
    with pytest.raises(BadInput, match="full and basic"):
        chosen_verdict()


@pytest.mark.parametrize("size", [(2, 2), (3, 400), (700, 5), (251, 251)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_picture_of_any_size_has_clues(size: tuple[int, int], value: int) -> None:
    values = clues_of(np.full((*size, 3), value, np.uint8)).values
    assert values.shape == (len(CLUE_NAMES),)
    assert np.isfinite(values).all()


def test_two_threads_see_the_same_clues(shelf: Rgb) -> None:
    with ThreadPoolExecutor(1) as beside:
        assert (clues_of(shelf, beside=beside).values == clues_of(shelf).values).all()


def test_blur_is_seen_in_the_clues(shelf: Rgb) -> None:
    before = clues_of(shelf)
    after = clues_of(MISHAPS["unfocused"](shelf, 12, np.random.default_rng(0)).rgb)
    assert after["steps_top_0"] < 0.6 * before["steps_top_0"]


def test_each_reason_has_its_forest_and_its_words() -> None:
    assert set(refusers()) <= set(SENTENCES)
    assert set(last_refusers()) == {"too_far", "cut_off"}
    for sentence in SENTENCES.values():
        assert ";" in sentence.en
        assert "；" in sentence.zh


def found(scores: list[float], short_px: float = 40) -> Found:
    boxes = np.array([[0, 0, short_px, 2 * short_px]] * len(scores), np.float32).reshape(-1, 4)
    return Found(boxes, np.array(scores, np.float32))


@pytest.mark.parametrize(
    ("seen", "reasons"),
    [
        pytest.param(found([]), ("no_shelf",), id="nothing"),
        pytest.param(found([0.9, 0.9, 0.8]), ("no_shelf",), id="too few"),
        pytest.param(found([0.4] * 9), ("no_shelf",), id="none sure"),
        pytest.param(found([0.8, 0.4, 0.4, 0.3]), (), id="a nearly empty shelf"),
        pytest.param(found([0.8] * 9, FAR_SHORT_PX - 1), ("too_far",), id="tiny facings"),
        pytest.param(found([0.8] * 9, FAR_SHORT_PX + 1), (), id="small facings"),
    ],
)
def test_a_shelf_needs_facings_that_can_be_seen(seen: Found, reasons: tuple[str, ...]) -> None:
    picture = np.full((960, 1280, 3), 90, np.uint8)
    assert reasons_after_looking(FirstWord(), seen, seen, picture) == reasons


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Callable[[float, float], tuple[Codes, Codes]]:
    """What is said before and after the look, by how sure each is."""

    def words(before: float, after: float) -> tuple[Codes, Codes]:
        sure = last_refusers()["too_far"].sure
        told = {"too_far": before * sure, "screen": -9.0, "cut_off": -9.0}
        monkeypatch.setattr("vision.verdict.pixel_odds", lambda _: told)
        monkeypatch.setattr(
            "vision.verdict.odds_after_looking", lambda *_: {"cut_off": after / 2, "too_far": after}
        )
        picture = np.full((960, 1280, 3), 90, np.uint8)
        first = first_word(photo(picture))
        seen = found([0.8] * 9)
        return first.codes, reasons_after_looking(first, seen, seen, picture)

    return words


@pytest.mark.parametrize(
    ("before", "after", "codes", "codes_after"),
    [
        pytest.param(1.1, 1.0, ("too_far",), ("too_far", "cut_off"), id="sure before any look"),
        pytest.param(0.9, -1.0, (), (), id="the look pardons what pixels would have refused"),
        pytest.param(0.9, 1.0, (), ("too_far", "cut_off"), id="the look agrees, the surest first"),
        pytest.param(-2.0, 1.0, (), ("too_far", "cut_off"), id="the look alone refuses"),
        pytest.param(-2.0, -1.0, (), (), id="neither refuses"),
    ],
)
def test_the_look_has_the_last_word_where_pixels_are_not_sure(
    said: Callable[[float, float], tuple[Codes, Codes]],
    before: float, after: float, codes: Codes, codes_after: Codes,
) -> None:  # fmt: skip
    assert said(before, after) == (codes, codes_after)


def test_the_boxes_tell_a_bay_whose_one_side_is_cut_from_a_whole_one() -> None:
    """By the shipped table, with pixels that leave it open."""
    rng = np.random.default_rng(0)
    rows = [(x, y, x + 46, y + 120) for y in range(35, 940, 155) for x in range(4, 1240, 49)]
    whole = np.array(rows, np.float32)
    cut = np.clip(whole + np.array([290, 0, 290, 0]), 0, [1280, 960, 1280, 960]).astype(np.float32)
    cut = cut[cut[:, 2] - cut[:, 0] > 8]
    odds = dict.fromkeys(last_refusers(), 0.0)
    picture = rng.integers(40, 220, (960, 1280, 3)).astype(np.uint8)
    beside = picture.copy()
    beside[:, :285] = 140
    above = [
        odds_after_looking(odds, seen, seen, rgb)["cut_off"]
        for boxes, rgb in ((whole, picture), (cut, beside))
        for seen in [Found(boxes, np.full(len(boxes), 0.8, np.float32))]
    ]
    assert above[0] < 0 < above[1]


def test_without_learnt_reasons_the_look_asks_its_rules_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VERDICT_VARIABLE, "basic")
    monkeypatch.setattr("vision.verdict.odds_after_looking", lambda *_: {"cut_off": 9.0})
    picture = np.full((960, 1280, 3), 90, np.uint8)
    first, seen = chosen_verdict()(photo(picture)), found([0.8] * 9)
    assert reasons_after_looking(first, seen, seen, picture) == ()
