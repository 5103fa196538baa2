"""Rows: shelves drawn with tilt, perspective and stacks come out as they were drawn."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.rows import find_rows, reaching

WIDTH, HEIGHT = 1500, 2000


def board(y: float, x: float, tilt: float, change: float) -> float:
    """Height at x of a board that crosses the middle of the photo at y."""
    return y + (x - WIDTH / 2) * (tilt + change * (y - HEIGHT / 2) / HEIGHT)


def shelf(
    boards: Sequence[float],
    *,
    tilt: float = 0.0,
    change: float = 0.0,
    layers: int = 1,
    size: tuple[float, float] = (60.0, 120.0),
    jitter: float = 0.0,
    left: float = 100.0,
    right: float = 1400.0,
) -> tuple[np.ndarray, np.ndarray]:
    """(n, 4) facings on boards, the lowest first, and (n,) which board each stands on."""
    random = np.random.default_rng(3)
    boxes, on = [], []
    for number, y in enumerate(boards):
        x = left
        while x + size[0] <= right:
            for layer in range(layers):
                foot = board(y, x + size[0] / 2, tilt, change) - layer * (size[1] + 3)
                foot += random.uniform(-jitter, jitter)
                boxes.append((x, foot - size[1], x + size[0], foot))
                on.append(number)
            x += size[0] + 4
    return np.array(boxes).reshape(-1, 4), np.array(on)


@settings(deadline=None, max_examples=40)
@given(
    tilt=st.floats(-0.2, 0.2),
    change=st.floats(-0.5, 0.5),
    count=st.integers(2, 6),
    seed=st.integers(0, 9),
)
def test_every_shelf_of_a_tilted_photo_is_one_row(
    tilt: float, change: float, count: int, seed: int
) -> None:
    boards = [1700 - 260 * place for place in range(count)]
    boxes, on = shelf(boards, tilt=tilt, change=change, jitter=4)
    order = np.random.default_rng(seed).permutation(len(boxes))
    rows = find_rows(boxes[order], WIDTH, HEIGHT)
    assert len(rows.rows) == count
    assert (rows.row_of == on[order]).all()  # 0 is the lowest
    for row, y in zip(rows.rows, boards, strict=True):
        x1, y1, x2, y2 = row.line_xyxy_px
        assert abs(y1 - board(y, x1, tilt, change)) < 12
        assert abs(y2 - board(y, x2, tilt, change)) < 12
        assert row.height_px == pytest.approx(120, abs=8)


@pytest.mark.parametrize("layers", [2, 3, 5])
def test_stacked_goods_belong_to_the_shelf_that_carries_them(layers: int) -> None:
    boxes, on = shelf([1700, 1200, 700], layers=layers, size=(90, 50))
    rows = find_rows(boxes, WIDTH, HEIGHT)
    assert len(rows.rows) == 3
    assert (rows.row_of == on).all()
    assert rows.rows[0].line_xyxy_px[1] == pytest.approx(1700, abs=3)


def test_a_lone_pack_on_top_belongs_to_the_row_below_it() -> None:
    boxes, on = shelf([1700, 1200])
    on_top = [300, 1700 - 120 - 3 - 80, 380, 1700 - 120 - 3]
    rows = find_rows(np.vstack([boxes, on_top]), WIDTH, HEIGHT)
    assert len(rows.rows) == 2
    assert rows.row_of.tolist() == [*on, 0]


def test_bays_with_boards_of_other_heights_keep_their_own_rows() -> None:
    left, _ = shelf([1700, 1400, 1100], right=700)
    right, _ = shelf([1600, 1250, 900], left=800)
    rows = find_rows(np.vstack([left, right]), WIDTH, HEIGHT)
    found = sorted(round(row.line_xyxy_px[1], -1) for row in rows.rows)
    assert found == [900, 1100, 1250, 1400, 1600, 1700]


def test_a_missed_facing_does_not_split_a_row() -> None:
    boxes, on = shelf([1700, 1300, 900])
    keep = np.ones(len(boxes), bool)
    keep[5:8] = False
    rows = find_rows(boxes[keep], WIDTH, HEIGHT)
    assert (rows.row_of == on[keep]).all()


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_facings_are_no_row(count: int) -> None:
    boxes = np.array([[10, 10, 50, 90]], float)[:count]
    rows = find_rows(boxes, WIDTH, HEIGHT)
    assert rows.rows == ()
    assert rows.row_of.tolist() == [-1] * count


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.floats(0, 900), st.floats(0, 900), st.floats(1, 300), st.floats(1, 300)).map(
            lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3])
        ),
        max_size=40,
    )
)
def test_any_boxes_give_sound_rows(boxes: list[tuple[float, ...]]) -> None:
    rows = find_rows(np.array(boxes).reshape(-1, 4), 1200, 1200)
    assert [row.index for row in rows.rows] == list(range(len(rows.rows)))
    assert set(rows.row_of.tolist()) <= {-1, *range(len(rows.rows))}
    middles = [np.mean(row.line_xyxy_px[1::2]) for row in rows.rows]
    assert np.isfinite(middles).all()
    for row in rows.rows:
        own = np.array(boxes)[rows.row_of == row.index]
        assert row.line_xyxy_px[0] == own[:, 0].min()
        assert row.line_xyxy_px[2] == own[:, 2].max()


def test_a_row_runs_on_along_half_seen_facings_but_not_into_another_row() -> None:
    boxes, _ = shelf([1700, 1200], right=600)
    rows = find_rows(boxes, WIDTH, HEIGHT)
    on_the_board, _ = shelf([1700], left=620, right=1000)
    beyond_a_wide_space, _ = shelf([1700], left=1200, right=1400)
    above_the_board = on_the_board - [0, 60, 0, 60]
    far = reaching(rows, boxes, np.concatenate([on_the_board, beyond_a_wide_space]))
    assert far[0].line_xyxy_px[2] == on_the_board[:, 2].max()
    assert far[1] == rows.rows[1]
    assert reaching(rows, boxes, above_the_board) == rows.rows
    assert reaching(rows, boxes, np.zeros((0, 4))) == rows.rows
    # Two bays whose boards stand at one height are two rows: neither grows into the other.
    beside, _ = shelf([1720], left=680, right=1300)
    both = np.concatenate([boxes, beside])
    parted = find_rows(both, WIDTH, HEIGHT)
    assert reaching(parted, both, beside) == parted.rows
