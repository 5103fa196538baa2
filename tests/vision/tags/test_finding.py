"""Which text is read, and which lines make a tag."""

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vision.observation import Box, Facing, Row
from vision.tags.finding import between_products, group_tags, shelf_edges
from vision.tags.lines import TextLine
from vision.tags.linking import facings_of

SHELF = [Facing((x, 100, x + 50, 200), 0.9) for x in (0.0, 60.0, 120.0, 300.0)]
BOXES = np.array([facing.box_xyxy_px for facing in SHELF])


def tag_at(x: float, text: str, tall: float = 20) -> TextLine:
    return TextLine(text, 0.95, (x, 210, x + tall * 0.5 * len(text), 210 + tall))


def test_what_is_printed_on_a_pack_is_not_read() -> None:
    on_the_pack: Box = (10, 120, 40, 140)
    on_the_edge: Box = (10, 205, 40, 225)

    assert between_products(BOXES, [])([on_the_pack, on_the_edge]) == [1]


def test_posters_are_not_read() -> None:
    assert between_products(BOXES, [])([(180, 0, 290, 90)]) == []


def test_what_a_plan_expects_is_read_first() -> None:
    far: Box = (0, 205, 30, 225)
    near: Box = (310, 205, 340, 225)

    assert between_products(BOXES, [SHELF[3].box_xyxy_px])([far, near]) == [1, 0]


def test_two_prices_side_by_side_are_two_tags() -> None:
    tags = group_tags([tag_at(0, "199"), tag_at(45, "259")])

    assert [tag.price.amount for tag in tags] == [Decimal(199), Decimal(259)]


def test_a_unit_price_on_its_own_is_no_tag() -> None:
    tags = group_tags([tag_at(0, "199"), tag_at(200, "259"), tag_at(400, "39.80", tall=9)])

    assert [tag.price.amount for tag in tags] == [Decimal(199), Decimal(259)]


def test_a_tag_speaks_for_the_facings_above_it_that_no_other_is_nearer_to() -> None:
    tags: list[Box] = [(10, 205, 50, 225), (125, 205, 165, 225)]

    assert facings_of(tags, SHELF) == [(0, 1), (2,)]


def test_a_facing_far_from_every_tag_has_none() -> None:
    assert facings_of([(0, 500, 40, 520)], SHELF) == [()]


@given(st.lists(st.integers(0, 400), max_size=6))
def test_every_facing_has_one_tag_at_most(lefts: list[int]) -> None:
    linked = facings_of([(x, 205.0, x + 40.0, 225.0) for x in lefts], SHELF)

    told = [facing for own in linked for facing in own]
    assert len(told) == len(set(told))


def test_a_shelfs_edge_is_a_band_under_its_row_and_bands_that_overlap_are_one() -> None:
    rows = [Row(0, (0, 800, 400, 800), 100), Row(1, (0, 300, 400, 310), 100),
            Row(2, (380, 330, 800, 330), 100)]  # fmt: skip

    bands = shelf_edges(rows, 800, 1000)

    assert len(bands) == 2
    assert bands[0][1] < 310 < bands[0][3]
    assert bands[0][2] == 800
    assert bands[1][1] < 800 < bands[1][3]
