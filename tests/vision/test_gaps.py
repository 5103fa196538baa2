"""Gaps: bare shelf is one, joints between packs, posts and missed facings are none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.gaps import find_gaps, free_places
from vision.observation import Gap
from vision.rows import find_rows

PACK_WIDTH, PACK_HEIGHT = 50, 90
BOARDS = (150, 300, 450)
COLUMNS = 14
WIDTH, HEIGHT = 800, 500


def pack(column: int, board: int, height: int = PACK_HEIGHT) -> tuple[int, int, int, int]:
    x = 40 + column * (PACK_WIDTH + 2)
    return x, board - height, x + PACK_WIDTH, board


def draw(packs: list[tuple[int, int, int, int]]) -> np.ndarray:
    """Dark back, light boards with tags, busy bright packs."""
    random = np.random.default_rng(5)
    picture = random.integers(35, 45, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    for board in BOARDS:
        picture[board : board + 25] = random.integers(195, 205, (25, WIDTH, 3))
    for x1, y1, x2, y2 in packs:
        cells = random.integers(60, 255, ((y2 - y1) // 5 + 1, (x2 - x1) // 5 + 1, 3))
        printed = np.kron(cells, np.ones((5, 5, 1), int))[: y2 - y1, : x2 - x1]
        picture[y1:y2, x1:x2] = printed
    return picture


def seen(
    packs: list[tuple[int, int, int, int]],
    *,
    weak: list[tuple[int, int, int, int]] | None = None,
    picture: np.ndarray | None = None,
    score_min: float = 0.5,
) -> tuple[Gap, ...]:
    boxes = np.array(packs, float).reshape(-1, 4)
    return find_gaps(
        boxes,
        find_rows(boxes, WIDTH, HEIGHT),
        weak_px=np.array(weak if weak is not None else packs, float).reshape(-1, 4),
        rgb=draw(packs) if picture is None else picture,
        scale=1.0,
        score_min=score_min,
    )


FULL = [pack(column, board) for board in BOARDS for column in range(COLUMNS)]


def without(*gone: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    away = {pack(column, BOARDS[place]) for column, place in gone}
    return [each for each in FULL if each not in away]


def overlap(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    a, b = np.array(first), np.array(second)
    shared = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None).prod()
    return float(shared / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - shared))


def test_a_full_shelf_has_no_gap() -> None:
    assert seen(FULL, score_min=0.0) == ()


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_bare_shelf_is_one_gap_of_its_width(place: int, width: int) -> None:
    gone = [(5 + each, place) for each in range(width)]
    (gap,) = seen(without(*gone))
    first, last = pack(5, BOARDS[place]), pack(5 + width - 1, BOARDS[place])
    assert overlap(gap.box_xyxy_px, (first[0], first[1], last[2], last[3])) > 0.8
    assert gap.row == len(BOARDS) - 1 - place  # 0 is the lowest shelf
    assert gap.score > 0.7


@given(
    st.sets(st.sampled_from([(c, p) for p in range(3) for c in range(COLUMNS)]), max_size=16),
    st.sampled_from([PACK_HEIGHT, 120, 148]),
)
@settings(max_examples=25)
def test_places_are_those_of_all_gaps_however_unsure(
    gone: set[tuple[int, int]], height: int
) -> None:
    """Of tall packs, gaps of two rows lie over one another, and the surer one has to stay."""
    packs = [
        pack(column, board, height)
        for place, board in enumerate(BOARDS)
        for column in range(COLUMNS)
        if (column, place) not in gone
    ]
    boxes = np.array(packs, float).reshape(-1, 4)
    rows = find_rows(boxes, WIDTH, HEIGHT)
    places = free_places(boxes, rows, weak_px=boxes, rgb=draw(packs), scale=1.0)
    gaps = seen(packs, score_min=0.0)
    assert sorted((place.box_xyxy_px, place.row) for place in places) == sorted(
        (gap.box_xyxy_px, gap.row) for gap in gaps
    )


def test_two_gaps_of_one_row_are_two() -> None:
    assert len(seen(without((3, 1), (8, 1)))) == 2


def test_what_the_detector_half_saw_is_no_gap() -> None:
    picture = draw(FULL)  # the pack is there
    assert seen(without((6, 1)), weak=FULL, picture=picture) == ()


def test_a_facing_that_was_missed_altogether_is_unlikely_a_gap() -> None:
    missed = seen(without((6, 1)), picture=draw(FULL), score_min=0.0)
    bare = seen(without((6, 1)), score_min=0.0)
    assert all(gap.score < 0.5 < bare[0].score for gap in missed)


def test_a_post_through_all_rows_is_no_gap() -> None:
    packs = without(*[(6, place) for place in range(3)])
    picture = draw(packs)
    x1, _, x2, _ = pack(6, BOARDS[0])
    picture[:, x1 - 2 : x2 + 2] = 20  # in front of the boards
    assert seen(packs, picture=picture) == ()


def test_a_joint_between_packs_is_no_gap() -> None:
    packs = [
        (x1 + (20 if x1 > 400 else 0), y1, x2 + (20 if x1 > 400 else 0), y2)
        for x1, y1, x2, y2 in FULL
    ]
    assert seen(packs, score_min=0.0) == ()


def test_a_taller_pack_covers_its_place() -> None:
    low = [pack(column, BOARDS[2], 60) for column in range(COLUMNS) if column != 6]
    others = [each for each in FULL if each[3] != BOARDS[2]]
    assert seen([*others, *low, pack(6, BOARDS[2], 95)], score_min=0.0) == ()


def test_no_facings_have_no_gaps() -> None:
    assert seen([], picture=draw([])) == ()
