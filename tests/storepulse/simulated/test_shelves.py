"""The truth of a drawn shelf is the truth of its picture."""

from itertools import pairwise

import numpy as np
import pytest

from storepulse.simulated.shelves import HEIGHT_PX, WIDTH_PX, draw_shelf


@pytest.mark.parametrize("seed", range(4))
def test_every_facing_lies_inside_the_picture_and_on_the_line_of_its_row(seed: int) -> None:
    shelf = draw_shelf(seed)
    assert shelf.rgb.shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert shelf.facings
    for facing in shelf.facings:
        x1, y1, x2, y2 = facing.box_xyxy_px
        assert 0 <= x1 < x2 <= WIDTH_PX
        assert 0 <= y1 < y2 <= HEIGHT_PX
        assert abs(y2 - shelf.row_lines_px[facing.row][1]) <= 3


@pytest.mark.parametrize("boards", [4, 5, 6])
def test_a_bay_has_eight_to_twenty_products_and_a_main_push_one_of_six_facings(
    boards: int,
) -> None:
    for seed in range(2):
        shelf = draw_shelf(seed, boards=boards)
        assert 8 <= len(shelf.packs) <= 20
        assert len(shelf.row_lines_px) == boards
        assert {facing.product for facing in shelf.facings} == {pack.id for pack in shelf.packs}
        assert len(shelf.facings_of(shelf.main_push)) == 6


def test_facings_of_one_row_do_not_overlap_by_more_than_a_joint() -> None:
    shelf = draw_shelf(3)
    for row in range(len(shelf.row_lines_px)):
        boxes = sorted(facing.box_xyxy_px for facing in shelf.facings if facing.row == row)
        overlaps = [left[2] - right[0] for left, right in pairwise(boxes)]
        assert max(overlaps) < 8


def test_the_same_seed_draws_the_same_picture_and_another_seed_another_one() -> None:
    first, again, other = draw_shelf(1), draw_shelf(1), draw_shelf(2)
    assert np.array_equal(first.rgb, again.rgb)
    assert first.facings == again.facings
    assert not np.array_equal(first.rgb, other.rgb)


def test_a_facing_looks_like_its_product_and_unlike_the_next_one() -> None:
    shelf = draw_shelf(5)

    def look(box: tuple[float, float, float, float]) -> np.ndarray:
        x1, y1, x2, y2 = (round(edge) for edge in box)
        return shelf.rgb[y1:y2, x1:x2].reshape(-1, 3).mean(axis=0)

    first, second, *_ = shelf.facings_of(shelf.main_push)
    same = np.abs(look(first.box_xyxy_px) - look(second.box_xyxy_px)).max()
    row = [f for f in shelf.facings if f.row == first.row and f.product != shelf.main_push]
    others = min(np.abs(look(first.box_xyxy_px) - look(f.box_xyxy_px)).max() for f in row)
    assert same < others


def test_a_bay_of_seven_boards_is_refused() -> None:
    with pytest.raises(ValueError, match="4 to 6"):
        draw_shelf(1, boards=7)
