"""From a photo that was looked at to its tags, with a reader that is given the print."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from vision.observation import Box, Facing, ModelFacts, Observation, PhotoFacts, Row
from vision.tags.lines import Pixels, TextLine, Wanted, every_line
from vision.tags.reading import TagReader

EDGE: Box = (40, 320, 140, 350)


@dataclass
class Print:
    """Reads what it is told stands in the part that it is shown."""

    said: Callable[[Pixels], list[TextLine]]
    parts: list[tuple[int, int]] = field(default_factory=list)

    def read(self, rgb: Pixels, wanted: Wanted) -> list[TextLine]:
        self.parts.append(rgb.shape[:2])
        lines = self.said(rgb)
        return [lines[at] for at in wanted([line.box_xyxy_px for line in lines])]


def jpeg(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "grey").save(out, "JPEG")
    return out.getvalue()


def seen(width: int, height: int, *, refused: bool = False) -> Observation:
    grow = width / 600
    return Observation(
        photo=PhotoFacts("a.jpg", width, height, "refused" if refused else "usable"),
        facings=(Facing((40 * grow, 200 * grow, 100 * grow, 300 * grow), 0.9, 0),),
        rows=(Row(0, (0, 300 * grow, 600 * grow, 300 * grow), 100 * grow),),
        model=ModelFacts("m", "1", 1280),
    )


def test_a_tag_is_told_in_the_pixels_of_the_photo_with_the_facing_above_it() -> None:
    reader = Print(lambda _rgb: [TextLine("199", 0.9, EDGE)])

    read = TagReader(reader).read(jpeg(600, 400), seen(600, 400))

    assert read.tags is not None
    assert [(tag.price, tag.facings, tag.box_xyxy_px) for tag in read.tags] == [
        (Decimal(199), (0,), EDGE)
    ]


def test_of_a_large_photo_only_the_shelves_edges_are_looked_at_for_text() -> None:
    reader = Print(lambda rgb: [TextLine("199", 0.9, (0, 0.5 * len(rgb), 90, 0.5 * len(rgb) + 40))])

    read = TagReader(reader).read(jpeg(3000, 2000), seen(3000, 2000))

    assert len(reader.parts) == 1
    assert reader.parts[0][0] < 1000
    assert read.tags is not None
    (tag,) = read.tags
    assert 1400 < tag.box_xyxy_px[1] < 2000


def test_a_refused_photo_has_no_tags_and_nobody_read_it() -> None:
    reader = Print(lambda _rgb: [TextLine("199", 0.9, EDGE)])

    assert TagReader(reader).read(jpeg(600, 400), seen(600, 400, refused=True)).tags is None
    assert reader.parts == []


def drawn_tags() -> np.ndarray:
    picture = Image.new("RGB", (640, 160), (70, 60, 50))
    pen = ImageDraw.Draw(picture)
    for x, price, cents in ((20, "259", ""), (230, "29", "90"), (440, "3.49", "")):
        pen.rectangle((x, 30, x + 170, 130), fill="white")
        pen.text((x + 40, 50), price, fill="black", font=ImageFont.load_default(52))
        end = x + 42 + pen.textlength(price, font=ImageFont.load_default(52))
        pen.text((end, 56), cents, fill="black", font=ImageFont.load_default(26))
    return np.asarray(picture)


def test_drawn_tags_are_read_by_the_real_reader() -> None:
    pytest.importorskip("rapidocr", reason="the `ocr` extra is not installed")
    from vision.tags.finding import group_tags
    from vision.tags.rapid import RapidReader

    tags = group_tags(RapidReader().read(drawn_tags(), every_line))

    assert [tag.price.amount for tag in tags] == [
        Decimal(259), Decimal("29.90"), Decimal("3.49"),
    ]  # fmt: skip


def test_a_bar_code_on_the_photo_is_read_where_it_stands() -> None:
    zxingcpp = pytest.importorskip("zxingcpp", reason="the `ocr` extra is not installed")
    from vision.tags.barcodes import read_bar_codes

    code = zxingcpp.create_barcode("4006381333931", zxingcpp.BarcodeFormat.EAN13)
    bars = np.asarray(code.to_image(scale=2))
    photo = np.full((300, 500, 3), 255, np.uint8)
    photo[100 : 100 + bars.shape[0], 150 : 150 + bars.shape[1]] = bars[:, :, None]

    (found,) = read_bar_codes(photo)

    assert found.gtin == "4006381333931"
    assert 140 <= found.box_xyxy_px[0] <= 190


class Everywhere:
    """Sees the same places in whatever it is shown, and reads what is wanted of them."""

    def __init__(self, *places: Box) -> None:
        self.places = places
        self.shown: list[tuple[int, int]] = []

    def read(self, rgb: np.ndarray, wanted: Wanted) -> list[TextLine]:
        self.shown.append(rgb.shape[:2])
        return [TextLine("12.90", 0.9, self.places[at]) for at in wanted(self.places)]


def test_a_large_part_is_looked_at_in_strips_and_nothing_is_told_twice():
    reader = Everywhere((10.0, 50.0, 40.0, 62.0))
    TagReader(reader, at_once_px=600 * 120).read(jpeg(600, 400), seen(600, 400))
    assert len(reader.shown) > 1
    assert all(high * wide <= 600 * 300 for high, wide in reader.shown)
    assert sum(high for high, _ in reader.shown) >= 400
    whole = Everywhere((10.0, 50.0, 40.0, 62.0))
    told = TagReader(whole).read(jpeg(600, 400), seen(600, 400)).tags
    assert whole.shown == [(400, 600)]
    assert told is not None


def test_once_the_time_ended_a_tag_of_which_a_line_was_left_is_not_told():
    # Two lines of one tag, far from a third one; there is time for the first two to be read.
    reader = Everywhere(
        (10.0, 50.0, 40.0, 62.0), (300.0, 50.0, 330.0, 62.0), (334.0, 50.0, 340.0, 58.0)
    )
    asked = iter([True, True, True])
    read = TagReader(reader).read(
        jpeg(600, 400), seen(600, 400), in_time=lambda: next(asked, False)
    )
    assert read.tags is not None
    assert [tag.box_xyxy_px[0] for tag in read.tags] == [10.0]
