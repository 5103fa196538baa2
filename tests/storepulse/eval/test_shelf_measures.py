"""Facings, rows and answer time, measured on drawn shelves through the product's own eyes."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from storepulse.eval import app
from storepulse.eval.data_folders import WrongData
from storepulse.eval.facings import eyes, measure_facings
from storepulse.eval.progress import silently
from storepulse.eval.rows import count_rows, covered_share, measure_rows
from tests.storepulse.eval.drawn_shelves import ROWS, cells, draw_data, looker
from tests.vision.red_cells import MODEL
from vision.observation import Box, ModelFacts, Observation, PhotoFacts, Row
from vision.training.detect import Detections
from vision.verdict import VERDICT_VARIABLE


@pytest.fixture(scope="module", autouse=True)
def _cells_are_no_photos() -> Iterator[None]:
    """A sheet of red cells looks like no shelf to the learnt verdict, and rightly so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VERDICT_VARIABLE, "basic")
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_data(tmp_path_factory.mktemp("data") / "shelves")


def test_all_facings_found_are_an_ap_of_one_everywhere(data: Path) -> None:
    report = measure_facings(data, eyes(MODEL, threads=1), seed=0, steps=silently)
    assert {figure.of for figure in report.figures} == {"all", "near", "far"}
    right = [figure for figure in report.figures if not figure.name.startswith("calibration")]
    assert all(figure.value == pytest.approx(1) for figure in right)
    assert report.figure("ap50").n == 6 * len(cells())
    assert report.figure("ap50", "near").n == 3 * len(cells())


def test_a_score_below_one_of_answers_that_are_all_right_is_a_calibration_error(data: Path) -> None:
    report = measure_facings(data, eyes(MODEL, threads=1), seed=0, steps=silently)
    told = eyes(MODEL, threads=1)(data / "images/drawn_0.png")[0].scores
    error = report.figure("calibration_error_from_0.3")
    assert error.value == pytest.approx(1 - told.mean(), abs=0.01)
    assert error.n == 6 * len(cells())


def test_facings_not_seen_on_some_photos_lower_recall_and_widen_the_interval(data: Path) -> None:
    whole = eyes(MODEL, threads=1)

    def half_blind(path: Path) -> tuple[Detections, Detections]:
        keep = slice(0, len(cells()) // 2 if path.stem.endswith(("0", "2")) else None)
        curve, told = whole(path)
        return tuple(Detections(one.boxes[keep], one.scores[keep]) for one in (curve, told))  # type: ignore[return-value]

    report = measure_facings(data, half_blind, seed=0, steps=silently)
    recall = report.figure("recall_as_told")
    assert recall.value == pytest.approx(5 / 6)
    assert recall.low is not None
    assert recall.high is not None
    assert recall.low < 5 / 6 < recall.high
    assert report.figure("precision_as_told").value == 1
    # No detection is wrong, so the curve ends where recall does: 84 of 101 points.
    assert report.figure("ap50").value == pytest.approx(84 / 101)


def test_rows_found_are_counted_against_labelled_ones(data: Path) -> None:
    report = measure_rows(data, looker(), seed=0, steps=silently)
    assert report.figure("recall").value == 1
    assert report.figure("recall").n == 6 * len(ROWS)
    assert report.figure("rows_told").value == 6 * len(ROWS)


def _seen(*rows: tuple[Box, float]) -> Observation:
    return Observation(
        photo=PhotoFacts("drawn", 1000, 1000, "usable"),
        rows=tuple(Row(number, line, tall) for number, (line, tall) in enumerate(rows)),
        model=ModelFacts("none", "test", 0),
    )


@pytest.mark.parametrize(
    ("row", "by_band"),
    [
        pytest.param(((0, 500, 1000, 500), 100.0), 1, id="the same"),
        pytest.param(((0, 540, 1000, 540), 100.0), 1, id="lower by less than half its height"),
        pytest.param(((0, 560, 1000, 560), 100.0), 0, id="lower by more than half"),
        pytest.param(((0, 500, 600, 500), 100.0), 1, id="over half of its length"),
        pytest.param(((0, 500, 400, 500), 100.0), 0, id="over less than half"),
        pytest.param(((0, 500, 1000, 500), 40.0), 0, id="much lower packs"),
    ],
)
def test_a_row_is_found_by_its_band(row: tuple[Box, float], by_band: int) -> None:
    facings = np.array([[x, 400, x + 80, 500] for x in range(0, 1000, 100)], np.float32)
    counts = count_rows(_seen(row), [(0, 500, 1000, 500)], facings)
    # Without facings of ours on the line no row is found by its line alone.
    assert (counts.by_line, counts.by_band, counts.found) == (0, by_band, by_band)


def test_no_row_covers_what_is_not_there() -> None:
    assert covered_share((0, 100, 10, 100), 5, (20, 100, 30, 100), 5) == 0


def test_the_large_jpeg_alone_is_timed(data: Path) -> None:
    asked = ["answer-time", "--data", str(data), "--model", str(MODEL), "--runs", "2", "--json"]
    said = json.loads(CliRunner().invoke(app, asked).stdout)
    names = {figure["name"] for figure in said["figures"]}
    assert {"total_p50", "total_p95", "peak_memory"} <= names
    assert {figure["of"] for figure in said["figures"]} == {"phone.jpg, 12.2 MP"}
    assert all(figure["value"] > 0 for figure in said["figures"])


def test_without_a_large_jpeg_there_is_nothing_to_time(data: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/small.jpg").write_bytes((data / "full/small.jpg").read_bytes())
    said = CliRunner().invoke(app, ["answer-time", "--data", str(tmp_path)])
    assert isinstance(said.exception, WrongData)
    assert "no JPEG of 12 megapixels" in str(said.exception)


@pytest.mark.parametrize("measure", ["facings", "rows"])
def test_a_command_prints_json_to_stdout_and_talk_to_stderr(data: Path, measure: str) -> None:
    said = CliRunner().invoke(
        app, [measure, "--data", str(data), "--model", str(MODEL), "--json"], catch_exceptions=False
    )
    assert json.loads(said.stdout)["measure"] == measure
    assert "looking for" in said.stderr


def test_a_command_prints_a_table_for_people(data: Path) -> None:
    said = CliRunner().invoke(app, ["rows", "--data", str(data), "--model", str(MODEL)])
    assert "recall by line" in said.stdout


Spoil = Callable[[Path], object]
SPOILT: dict[str, Spoil] = {
    "not COCO": lambda folder: (folder / "checked.json").write_text("{}"),
    "a photo is gone": lambda folder: (folder / "images/drawn_1.png").unlink(),
    "rows of another form": lambda folder: (folder / "rows.json").write_text("[]"),
    "no photo in common": lambda folder: (folder / "rows.json").write_text('{"rows": {}}'),
}


@pytest.mark.parametrize("spoil", SPOILT)
def test_spoilt_data_is_one_clear_line(tmp_path: Path, spoil: str) -> None:
    folder = draw_data(tmp_path / "shelves", photos=2)
    SPOILT[spoil](folder)
    said = CliRunner().invoke(app, ["rows", "--data", str(folder), "--model", str(MODEL)])
    assert said.exception is not None
    assert "\n" not in str(said.exception)
    assert getattr(said.exception, "retryable", None) is False
