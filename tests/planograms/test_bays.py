"""A photo says which bay it is of: by the code on the shelf, or by its looks, or it is not sure."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from planograms.bay_codes import A_SHEET, bay_of, code_of, label_sheets, read_codes
from planograms.bay_recognition import by_codes, features_of, recognised
from planograms.cli import app
from storepulse.errors import BadInput

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(str.strip)


@settings(max_examples=50, deadline=None)
@given(names, names, names)
def test_a_code_speaks_of_its_shop_and_bay_alone(shop: str, bay: str, other: str) -> None:
    code = code_of(shop, bay)
    assert bay_of(code, shop=shop) == bay
    assert bay_of(code, shop=other) == (bay if other == shop else None)
    assert bay_of(other, shop=shop) is None or other.startswith("sp:")


def with_code(bay: str, shop: str = "shop-17", *, at: int = 600, blur: float = 0.8) -> np.ndarray:  # type: ignore[type-arg]
    """A photo of a shelf, a little aslant, with a code of 84 pixels (34 mm of a metre) at it."""
    import segno

    matrix = np.array([list(row) for row in segno.make(code_of(shop, bay), error="m").matrix])
    tile = np.pad(np.where(matrix, 20, 235).astype(np.uint8), 4, constant_values=235)
    tile = cv2.resize(tile, (84, 84), interpolation=cv2.INTER_NEAREST)
    photo = np.random.default_rng(1).integers(60, 200, (900, 1200, 3)).astype(np.uint8)
    photo = cv2.GaussianBlur(photo, (0, 0), 2)
    photo[400:484, at : at + 84] = tile[..., None]
    aslant = cv2.getRotationMatrix2D((600, 450), 4, 0.97)
    return cv2.GaussianBlur(cv2.warpAffine(photo, aslant, (1200, 900)), (0, 0), blur)


def test_the_code_in_the_middle_is_read_and_those_of_other_shops_are_not() -> None:
    rgb = with_code("货架 7")
    rgb[:, 900:] = with_code("bay-8", at=1000)[:, 900:]
    assert [seen.bay for seen in read_codes(rgb, shop="shop-17")] == ["货架 7", "bay-8"]
    assert read_codes(rgb, shop="shop-1") == ()


@pytest.mark.parametrize(
    ("seen", "bay", "first"),
    [
        pytest.param(["b1"], "b1", "b1", id="one code"),
        pytest.param(["b2", "b1"], None, "b2", id="two codes: not sure, the middle one first"),
        pytest.param(["b9"], None, None, id="the code of a bay that is gone"),
        pytest.param(["b9", "b1"], "b1", "b1", id="it and one that is there"),
        pytest.param([], None, None, id="no code"),
    ],
)
def test_codes_name_the_bay(seen: list[str], bay: str | None, first: str | None) -> None:
    told = by_codes(seen, ["b1", "b2"])
    assert told.bay == bay
    assert (told.candidates[0].bay if told.candidates else None) == first


def drawn(seed: int) -> np.ndarray:  # type: ignore[type-arg]
    """A shelf of packs with patterns of their own."""
    chance = np.random.default_rng(seed)
    rgb = np.full((480, 640, 3), 190, np.uint8)
    for row in range(4):
        for column in range(8):
            pack = cv2.resize(chance.integers(0, 255, (9, 6, 3)).astype(np.uint8), (60, 90))
            rgb[20 + 115 * row : 110 + 115 * row, 70 * column + 40 : 70 * column + 100] = pack
    return rgb


def test_a_bay_is_known_by_its_looks_and_a_foreign_one_is_not_named() -> None:
    known = {f"b{seed}": [features_of(drawn(seed))] for seed in range(4)}
    corners = np.array([[0, 0], [640, 0], [640, 480], [0, 480]], np.float32)
    moved = np.array([[20, 12], [625, 0], [640, 470], [5, 480]], np.float32)
    aslant = cv2.warpPerspective(drawn(2), cv2.getPerspectiveTransform(corners, moved), (640, 480))
    told = recognised(features_of(cv2.convertScaleAbs(aslant, alpha=0.8, beta=5)), known)
    assert (told.by, told.bay) == ("look", "b2")
    assert sum(one.confidence for one in told.candidates) <= 1.001
    assert recognised(features_of(drawn(9)), known).bay is None
    # Two bays that look the same are told apart by a person.
    twins = {"left": known["b2"], "right": known["b2"]}
    same = recognised(features_of(drawn(2)), twins)
    assert (same.bay, len(same.candidates)) == (None, 2)
    assert recognised(features_of(drawn(2)), {}).by == "nothing"


def test_labels_are_printed_sheet_by_sheet(tmp_path: Path) -> None:
    bays = [f"bay-{number}" for number in range(1, A_SHEET + 2)]
    first, second = label_sheets("shop-17", bays, name="Dock & Sons")
    assert first.count("<path") == A_SHEET
    assert second.count("<path") == 1
    assert "Dock &amp; Sons" in first
    run = CliRunner().invoke
    out = tmp_path / "labels.svg"
    done = run(app, ["labels", *reversed(bays), "--shop", "shop-17", "-o", str(out)])
    assert done.exit_code == 0
    assert (tmp_path / "labels-2.svg").read_text() == label_sheets("shop-17", bays)[1]
    page = tmp_path / "labels.html"
    run(app, ["labels", "bay-1", "--shop", "shop-17", "-o", str(page)])
    assert page.read_text().count("<svg") == 1
    wrong = run(app, ["labels", "bay-1", "--shop", "shop-17", "-o", "labels.doc"])
    assert isinstance(wrong.exception, BadInput)
    with pytest.raises(BadInput):
        label_sheets("shop-17", [])
