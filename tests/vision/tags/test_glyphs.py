"""Where small cents may begin."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from vision.tags.glyphs import cuts, find_ink


def drawn(price: str, cents: str, *, dark: bool = True) -> tuple[NDArray[np.uint8], int]:
    """A price with raised cents, and the column at which it ends."""
    paper, ink = ("white", "black") if dark else ("black", "white")
    picture = Image.new("RGB", (200, 60), paper)
    pen = ImageDraw.Draw(picture)
    tall, low = ImageFont.load_default(48), ImageFont.load_default(24)
    pen.text((8, 2), price, fill=ink, font=tall)
    end = 8 + pen.textlength(price, font=tall)
    pen.text((end + 4, 6), cents, fill=ink, font=low)
    return np.asarray(picture), int(end)


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize(("price", "cents"), [("29", "90"), ("14", "50"), ("8", "00")])
def test_small_cents_begin_where_the_price_ends(price: str, cents: str, dark: bool) -> None:
    rgb, end = drawn(price, cents, dark=dark)

    assert any(abs(x - end) <= 6 for x in cuts(find_ink(rgb))[:3])


def test_a_price_without_small_digits_is_not_cut() -> None:
    rgb, _ = drawn("199", "")

    assert cuts(find_ink(rgb)) == []


def test_an_empty_crop_has_no_ink() -> None:
    assert not find_ink(np.full((40, 90, 3), 255, np.uint8)).any()
    assert not find_ink(np.zeros((3, 3, 3), np.uint8)).any()
