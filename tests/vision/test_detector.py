"""The detector's arithmetic: boxes come back where they were, and doubles go."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vision.red_cells import MODEL, cell_box, draw_cells
from vision.agreement import Answers, Limits, agreed, without_doubles
from vision.calibration import Calibration
from vision.detector import (
    LARGE_SHARE,
    MODEL_VARIABLE,
    STRIDE_PX,
    USUAL_SHARE,
    Detector,
    Look,
    from_further,
    letterbox,
    read_answers,
)
from vision.errors import BadModel

CELLS = [(1, 2), (5, 7), (19, 14)]


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(MODEL, threads=1)


def as_tuples(boxes: np.ndarray) -> set[tuple[float, ...]]:
    return {tuple(round(float(edge), 1) for edge in box) for box in boxes}


def test_facings_are_found_where_they_are(detector: Detector) -> None:
    found = detector.find(draw_cells(CELLS))
    assert as_tuples(found.boxes_px) == {cell_box(*cell) for cell in CELLS}
    assert (found.scores > 0.5).all()


def test_a_larger_photo_is_seen_smaller_and_answered_in_its_own_pixels(
    detector: Detector,
) -> None:
    large = np.kron(draw_cells(CELLS), np.ones((3, 3, 1), np.uint8))
    found = detector.find(large)
    wanted = {tuple(3 * edge for edge in cell_box(*cell)) for cell in CELLS}
    assert as_tuples(found.boxes_px) == wanted


def test_an_empty_picture_has_no_facings(detector: Detector) -> None:
    found = detector.find(np.zeros((40, 50, 3), np.uint8))
    assert found.boxes_px.shape == (0, 4)
    assert found.scores.shape == (0,)


def test_the_model_says_who_it_is(detector: Detector) -> None:
    assert detector.facts.name == "red-cells"
    assert detector.facts.input_px == 640
    assert detector.licence == "MIT OR Apache-2.0"


def test_several_limits_are_answered_from_one_run(detector: Detector) -> None:
    none, all_ = detector.find_at_all(draw_cells(CELLS), [Limits(score_min=0.99), Limits()])
    assert (len(none.scores), len(all_.scores)) == (0, 3)


def test_a_picture_made_ready_before_is_answered_alike(detector: Detector) -> None:
    picture = draw_cells(CELLS)
    shown = detector.shown(picture)
    [before] = detector.find_at_all(picture, [Limits()], first=lambda: shown)
    now = detector.find(picture)
    assert (before.boxes_px == now.boxes_px).all()
    assert (before.scores == now.scores).all()


def test_more_than_300_facings_are_not_cut_off(detector: Detector) -> None:
    everywhere = [(column, row) for column in range(20) for row in range(0, 15)]
    picture = np.concatenate([draw_cells(everywhere)] * 2)  # 640 wide, 960 high: seen at 2/3
    assert len(detector.find(draw_cells(everywhere)).scores) == 300
    raw = np.zeros((5, 900), np.float32)
    raw[0], raw[1] = np.arange(900) % 30 * 20 + 10, np.arange(900) // 30 * 20 + 10
    raw[2:4], raw[4] = 18, 0.9
    answers = Answers.of([read_answers(raw, 1.0, 600, 600, score_min=0.1)])
    assert len(agreed(answers, Limits())[1]) == 900
    assert len(agreed(answers, Limits(count_max=50))[1]) == 50
    assert picture.shape == (960, 640, 3)


def test_a_second_look_in_the_mirror_sees_the_same_facings_at_the_same_places(
    detector: Detector,
) -> None:
    picture = draw_cells(CELLS)
    once = detector.find(picture)
    twice = detector.find_at_all(picture, [Limits()], looks=[Look(640), Look(640, mirrored=True)])[
        0
    ]
    assert as_tuples(twice.boxes_px) == as_tuples(once.boxes_px)
    assert np.allclose(np.sort(twice.scores), np.sort(once.scores), atol=1e-5)


@given(st.floats(0, 1))
def test_facings_larger_than_the_network_knows_are_looked_at_as_if_from_further(
    share: float,
) -> None:
    looks = (Look(1280), Look(960, mirrored=True))
    again = from_further(looks, share)
    if share <= LARGE_SHARE:
        assert again == ()
        return
    assert [look.mirrored for look in again] == [False, True]
    for look, smaller in zip(looks, again, strict=True):
        assert smaller.long_px % STRIDE_PX == 0
        wanted = look.long_px * max(USUAL_SHARE / share, 0.25)
        assert abs(smaller.long_px - wanted) <= STRIDE_PX / 2 or smaller.long_px == STRIDE_PX


def test_a_close_up_is_answered_in_its_own_pixels_too(detector: Detector) -> None:
    close = draw_cells([(1, 1), (3, 2)])[:160, :160]
    wanted = np.array([cell_box(1, 1), cell_box(3, 2)])
    found = detector.find(close)
    assert len(found.scores)
    middles = (found.boxes_px[:, :2] + found.boxes_px[:, 2:]) / 2
    for x, y in middles:
        assert any(x1 < x < x2 and y1 < y < y2 for x1, y1, x2, y2 in wanted)


def test_what_one_of_two_looks_sees_counts_half(detector: Detector) -> None:
    # The test's network sees cells of 32 px only: at half the size it sees none.
    [both] = detector.find_at_all(draw_cells(CELLS), [Limits()], looks=[Look(640), Look(320)])
    once = detector.find(draw_cells(CELLS))
    assert np.allclose(both.scores, once.scores / 2, atol=1e-5)


def model_that_says(folder: Path, **said: str) -> Path:
    onnx = pytest.importorskip("onnx")
    model = onnx.load(MODEL)
    for name, value in said.items():
        model.metadata_props.add(key=name, value=value)
    path = folder / "model.onnx"
    onnx.save(model, path)
    return path


def test_a_model_says_its_looks_and_its_calibration(tmp_path: Path) -> None:
    shy = Detector(model_that_says(tmp_path, looks="640 640m", calibration="1 1 -1"), threads=1)
    assert shy.looks == (Look(640), Look(640, mirrored=True))
    bold = Detector(MODEL, threads=1).find(draw_cells(CELLS))
    found = shy.find(draw_cells(CELLS))
    assert as_tuples(found.boxes_px) == as_tuples(bold.boxes_px)
    assert np.allclose(found.scores, Calibration(1, 1, -1).probability(bold.scores), atol=1e-3)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        pytest.param({"looks": "641"}, "multiple of 32", id="no multiple"),
        pytest.param({"looks": ""}, "no look", id="empty"),
        pytest.param({"calibration": "1 2"}, "no usable calibration", id="two numbers"),
        pytest.param({"calibration": "-1 1 0"}, "no usable calibration", id="turned round"),
    ],
)
def test_a_model_that_says_nonsense_is_refused(
    said: dict[str, str], problem: str, tmp_path: Path
) -> None:
    with pytest.raises(BadModel, match=problem):
        Detector(model_that_says(tmp_path, **said), threads=1)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 300), st.integers(1, 300))
def test_the_network_sees_multiples_of_its_stride(width: int, height: int) -> None:
    planes, scale = letterbox(np.full((height, width, 3), 255, np.uint8), 64)
    assert planes.shape[2] % STRIDE_PX == planes.shape[3] % STRIDE_PX == 0
    assert max(planes.shape[2:]) == 64
    assert scale == 64 / max(width, height)
    assert planes[0, :, 0, 0].tolist() == [1.0, 1.0, 1.0]
    assert 0.0 <= planes.min() <= planes.max() <= 1.0


def test_what_the_network_is_shown_is_the_photo_in_parts_of_one_with_grey_beside_it() -> None:
    rgb = np.random.default_rng(3).integers(0, 256, (40, 50, 3), np.uint8)
    planes, _ = letterbox(rgb, 50)
    plain = np.full((64, 64, 3), 114, np.uint8)
    plain[:40, :50] = rgb
    shown = plain.transpose(2, 0, 1)[None].astype(np.float32) * np.float32(1 / 255)
    assert (planes == shown).all()


def test_nothing_of_a_photo_is_left_for_the_next_one(detector: Detector) -> None:
    small = np.ascontiguousarray(draw_cells(CELLS)[:330, :430])
    before = detector.find(small)
    detector.find(np.full((500, 640, 3), 255, np.uint8))
    again = detector.find(small)
    assert (again.boxes_px == before.boxes_px).all()
    assert (again.scores == before.scores).all()


boxes = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(1, 30), st.integers(1, 30)).map(
        lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3])
    ),
    max_size=25,
).map(lambda boxes: np.array(boxes, np.float32).reshape(-1, 4))


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    shared = np.clip(
        np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2]), 0, None
    ).prod()
    areas = (first[2:] - first[:2]).prod() + (second[2:] - second[:2]).prod()
    return float(shared / (areas - shared))


@given(boxes, st.floats(0.1, 0.9))
def test_kept_boxes_do_not_overlap_and_dropped_ones_do(given_: np.ndarray, limit: float) -> None:
    kept = without_doubles(given_, limit, 1000).tolist()
    assert kept == sorted(kept)
    for place in range(len(given_)):
        stronger = [other for other in kept if other < place]
        doubled = any(overlap(given_[place], given_[other]) > limit + 1e-6 for other in stronger)
        clear = all(overlap(given_[place], given_[other]) < limit - 1e-6 for other in stronger)
        if doubled:
            assert place not in kept
        if clear:
            assert place in kept


def test_boxes_end_at_the_edge_of_the_photo() -> None:
    raw = np.array([[5.0], [5.0], [40.0], [40.0], [0.9]], np.float32)
    boxes, _ = read_answers(raw, 0.5, 100, 30, score_min=0.1)
    assert boxes.tolist() == [[0, 0, 50, 30]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "no such detector file", id="missing"),
        pytest.param(b"not a network", "no ONNX model", id="text"),
    ],
)
def test_a_bad_model_is_said_in_one_line(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "facings.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadModel, match=said) as caught:
        Detector(path)
    assert "--model" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_chain_can_name_its_own_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MODEL_VARIABLE, str(MODEL))
    assert Detector(threads=1).facts.name == "red-cells"
