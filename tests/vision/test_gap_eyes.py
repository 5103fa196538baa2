"""Two witnesses of a gap: what each says counts, and neither is needed."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vision.red_cells import MODEL, cell_box, draw_cells
from vision.agreement import overlaps
from vision.detector import STRIDE_PX, Found, Look
from vision.errors import BadModel
from vision.gap_eyes import (
    ENLARGED_MAX,
    GAP_LIMITS,
    GAP_MODEL_VARIABLE,
    GEOMETRY,
    GapEyes,
    Weights,
    covered_shares,
    looks_at,
    row_under,
    weigh,
)
from vision.gaps import Place, find_gaps
from vision.observation import Gap
from vision.rows import find_rows

PLAIN = Weights(start=0, network=1, covered=-3, stretch=2)
NOTHING = np.zeros((0, 4), np.float32)

box = st.tuples(
    st.integers(0, 200), st.integers(0, 200), st.integers(4, 40), st.integers(4, 40)
).map(lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3]))


def found(*rows: tuple[tuple[int, ...], float]) -> Found:
    return Found(
        np.array([box for box, _ in rows], np.float32).reshape(-1, 4),
        np.array([score for _, score in rows], np.float32),
    )


@given(st.lists(st.tuples(box, st.floats(0.02, 0.99)), max_size=12), st.lists(box, max_size=8))
def test_gaps_come_surest_first_and_apart(answers, stretches):
    free = [Place(tuple(map(float, one)), 0) for one in stretches]
    gaps = weigh(found(*answers), free, NOTHING, PLAIN)
    scores = [gap.score for gap in gaps]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    boxes = np.array([gap.box_xyxy_px for gap in gaps], np.float32).reshape(-1, 4)
    apart = overlaps(boxes, boxes) - np.eye(len(boxes))
    assert (apart <= GAP_LIMITS.overlap_max + 1e-4).all()


@given(box, st.floats(0.05, 0.95))
def test_a_place_under_facings_is_doubted_and_one_the_rows_free_believed(place, score):
    plain = weigh(found((place, score)), [], NOTHING, PLAIN)[0].score
    under = weigh(found((place, score)), [], np.array([place], np.float32), PLAIN)[0].score
    free = Place(tuple(map(float, place)), 2)
    freed = weigh(found((place, score)), [free], NOTHING, PLAIN)[0]
    assert under < plain < freed.score
    assert freed.row == 2


def test_a_stretch_the_network_said_nothing_of_is_told_weakly():
    gaps = weigh(found(), [Place((0.0, 0.0, 10.0, 20.0), 1)], NOTHING, PLAIN)
    assert [gap.row for gap in gaps] == [1]
    assert gaps[0].score < 0.2


def test_no_witness_no_gap():
    assert weigh(found(), [], NOTHING, PLAIN) == ()


@given(st.lists(box, max_size=20), st.floats(300, 6000))
def test_the_network_is_shown_sizes_it_can_take_and_never_smaller_ones(facings, long_px):
    own = (Look(448), Look(352, mirrored=True))
    looks = looks_at(own, np.array(facings, np.float32).reshape(-1, 4), long_px)
    assert [look.mirrored for look in looks] == [False, True]
    for look, first in zip(looks, own, strict=True):
        assert look.long_px % STRIDE_PX == 0
        assert first.long_px <= look.long_px <= first.long_px * ENLARGED_MAX


def test_a_photo_from_far_away_is_shown_larger():
    near, far = (np.array([(0, 0, 100, tall)], np.float32) for tall in (400, 100))
    assert looks_at([Look(448)], near, 2000) == (Look(448),)
    assert looks_at([Look(448)], far, 2000) == (Look(608),)


def test_covered_is_the_share_under_facings():
    facings = np.array([(0, 0, 5, 10), (100, 0, 110, 10)], np.float32)
    place = np.array([(0.0, 0.0, 10.0, 10.0)])
    assert covered_shares(place, facings) == pytest.approx(0.5)
    assert covered_shares(place, NOTHING) == 0


CELLS = [(column, 6) for column in range(3, 17) if column not in (8, 9)]


def test_gaps_of_the_network_stand_on_the_rows_of_the_facings():
    boxes = np.array([cell_box(*cell) for cell in CELLS])
    rows = find_rows(boxes, 640, 480)
    x1, _, _, foot = cell_box(8, 6)
    assert row_under(Gap((x1, foot - 30, x1 + 62, foot), 0.9), rows) == 0
    assert row_under(Gap((x1, foot - 130, x1 + 62, foot - 100), 0.9), rows) is None


def test_the_network_says_what_it_sees_in_pixels_of_the_full_photo():
    # The test's network takes red cells for what it looks for, so here they are the gaps.
    eyes = GapEyes(MODEL, threads=1)
    assert eyes.facts is not None
    # It takes pictures of 640 px as they are.
    picture = draw_cells([(5, 4)])
    nothing = find_rows(np.zeros((0, 4)), 1280, 960)
    gaps = eyes.find(NOTHING, nothing, weak_px=NOTHING, rgb=picture, scale=0.5, score_min=0.0)
    assert len(gaps) == 1
    assert gaps[0].box_xyxy_px == pytest.approx([2 * edge for edge in cell_box(5, 4)], abs=1)


def test_without_a_network_the_geometry_answers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(GAP_MODEL_VARIABLE, GEOMETRY)
    eyes = GapEyes(threads=1)
    assert eyes.facts is None
    boxes = np.array([cell_box(*cell) for cell in CELLS])
    rows, picture = find_rows(boxes, 640, 480), draw_cells(CELLS)
    asked = {"weak_px": NOTHING, "rgb": picture, "scale": 1.0}
    assert eyes.find(boxes, rows, **asked) == find_gaps(boxes, rows, **asked)


def test_a_chain_can_name_its_own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(GAP_MODEL_VARIABLE, str(MODEL))
    facts = GapEyes(threads=1).facts
    assert facts is not None
    assert facts.name == "red-cells"


def test_a_named_network_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="no such"):
        GapEyes(tmp_path / "none.onnx")
