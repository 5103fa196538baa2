"""Planograms as pages: everything is on them, inside them, and can be read."""

import io
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from PIL import Image

from planograms.model import Planogram
from planograms.plan_drawing import as_png, as_svg, text_width
from planograms.plan_scene import Rect, Shape, Text, lay_out, wrapped
from tests.planograms.drawn import planogram as drawn_planogram
from tests.planograms.plans import planograms

SVG = "{http://www.w3.org/2000/svg}"


@settings(deadline=None, max_examples=30)
@given(planograms())
def test_every_product_is_numbered_on_the_bay_and_in_the_list(plan: Planogram) -> None:
    scene = lay_out(plan, text_width)
    words = [element.text for element in scene.elements if isinstance(element, Text)]
    for number in range(1, len(plan.products) + 1):
        assert words.count(str(number)) >= 2
    assert all(
        element.x >= 0 and element.x + element.width <= scene.width + 0.1
        for element in scene.elements
        if isinstance(element, Rect)
    )
    facings = sum(p.facings * p.facings_high for p in plan.positions)
    assert sum(isinstance(element, Rect) for element in scene.elements) >= facings


@settings(deadline=None, max_examples=15)
@given(planograms())
def test_an_svg_is_sound_xml_whatever_products_are_called(plan: Planogram) -> None:
    root = ElementTree.fromstring(as_svg(plan))
    assert root.tag == f"{SVG}svg"
    assert len(root.findall(f"{SVG}text")) > len(plan.products)


def test_a_png_shows_the_goods_pictures() -> None:
    with_pictures = Image.open(io.BytesIO(as_png(drawn_planogram())))
    plan = drawn_planogram()
    bare = replace(plan, products=tuple(replace(p, pictures=()) for p in plan.products))
    without = Image.open(io.BytesIO(as_png(bare)))
    assert with_pictures.size == without.size
    assert with_pictures.width == 2400
    assert with_pictures.tobytes() != without.tobytes()


def test_main_push_carries_a_star_at_its_place_and_in_the_list() -> None:
    plain, pushed = lay_out(drawn_planogram(), text_width), lay_out(
        drawn_planogram("p1"), text_width
    )  # fmt: skip
    facings = sum(p.product == "p1" for p in drawn_planogram().positions)

    def stars(scene) -> int:  # type: ignore[no-untyped-def]
        return sum(isinstance(e, Shape) and len(e.points) == 10 for e in scene.elements)

    assert stars(plain) == 0
    assert stars(pushed) == facings + 1


@pytest.mark.parametrize(
    ("text", "wide", "lines"),
    [
        pytest.param("Green tea", 200, ["Green tea"], id="fits on one line"),
        pytest.param("Green tea with mint", 75, ["Green tea", "with mint"], id="breaks at a blank"),
        pytest.param("绿茶绿茶绿茶绿茶", 60, None, id="Chinese breaks anywhere"),
        pytest.param("Incomprehensibilities", 30, [], id="too long for its place"),
    ],
)
def test_names_are_wrapped_into_their_place(
    text: str, wide: float, lines: list[str] | None
) -> None:
    told, size = wrapped(text, (wide, 200), text_width)
    assert all(text_width(line, size) <= wide for line in told)
    assert "".join(told).replace(" ", "") in ("", text.replace(" ", ""))
    if lines is not None:
        assert told == lines
