"""A whole look, by function, command and worker, with a detector that takes red cells for packs."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from storepulse.cli import main
from tests.vision.red_cells import MODEL, cell_box, draw_cells
from vision.detector import MODEL_VARIABLE
from vision.drawing import GAP, draw_observation
from vision.framing import Frame, encode_frame, read_frame
from vision.gap_eyes import GAP_MODEL_VARIABLE, GEOMETRY
from vision.look import Looker
from vision.observation import (
    OBSERVATION_JSON,
    Facing,
    ModelFacts,
    Observation,
    PhotoFacts,
    told,
)
from vision.photos import Photo, read_photo
from vision.verdict import SENTENCES, VERDICT_VARIABLE

SHELF = [(column, row) for row in (3, 7, 11) for column in range(2, 18) if (column, row) != (9, 7)]
"""Three rows with one pack gone."""
KEYS = {"photo", "facings", "gaps", "rows", "tags", "timings_ms", "model"}


@pytest.fixture(autouse=True, scope="module")
def cells_are_no_photos() -> Iterator[None]:
    """Red cells look like no shelf to the learnt verdict and gap network, and rightly so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(GAP_MODEL_VARIABLE, GEOMETRY)
        patch.setenv(VERDICT_VARIABLE, "basic")
        yield


@pytest.fixture(scope="module")
def looker() -> Looker:
    return Looker(MODEL, threads=1)


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    path = tmp_path / "shelf.png"
    Image.fromarray(draw_cells(SHELF)).save(path)
    return path


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """The command as a person gives it; its exit code."""
    monkeypatch.setenv(MODEL_VARIABLE, str(MODEL))
    monkeypatch.setattr(sys, "argv", ["storepulse", "vision", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    code = ended.value.code
    return code if isinstance(code, int) else 0


def test_a_look_sees_facings_rows_and_the_gap(looker: Looker, shelf: Path) -> None:
    photo, seen = looker.look_at(shelf)
    assert seen.photo.verdict == "usable"
    assert (seen.photo.width, seen.photo.height) == (640, 480)
    assert {facing.box_xyxy_px for facing in seen.facings} == {cell_box(*cell) for cell in SHELF}
    rows = {facing.box_xyxy_px[1]: facing.row for facing in seen.facings}
    assert rows == {cell_box(0, row)[1]: index for row, index in ((11, 0), (7, 1), (3, 2))}
    (gap,) = seen.gaps
    assert gap.row == 1
    x1, _, x2, _ = cell_box(9, 7)
    assert gap.box_xyxy_px[0] <= x1 < x2 <= gap.box_xyxy_px[2]
    assert photo.rgb.shape == (480, 640, 3)


def test_two_threads_see_what_one_sees(looker: Looker, shelf: Path) -> None:
    both = Looker(MODEL, threads=2)
    empty = np.zeros((480, 640, 3), np.uint8)
    for picture in (read_photo(shelf), Photo("black", 640, 480, empty, 1.0), read_photo(shelf)):
        alone, beside = looker.look(picture), both.look(picture)
        assert replace(alone, timings_ms={}) == replace(beside, timings_ms={})


def test_boxes_are_in_pixels_of_the_upright_photo(looker: Looker) -> None:
    picture = Image.fromarray(draw_cells(SHELF))
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its side
    stored = io.BytesIO()
    picture.transpose(Image.Transpose.ROTATE_90).save(stored, "PNG", exif=exif)
    _, seen = looker.look_at(stored.getvalue())
    assert (seen.photo.width, seen.photo.height) == (640, 480)
    assert {facing.box_xyxy_px for facing in seen.facings} == {cell_box(*cell) for cell in SHELF}


def test_boxes_of_a_large_photo_are_in_its_full_pixels(looker: Looker) -> None:
    large = np.kron(draw_cells(SHELF), np.ones((5, 5, 1), np.uint8))
    stored = io.BytesIO()
    Image.fromarray(large).save(stored, "JPEG", quality=95)
    photo, seen = looker.look_at(stored.getvalue(), name="large.jpg")
    assert (seen.photo.width, photo.rgb.shape[1]) == (3200, 1600)
    found = sorted(facing.box_xyxy_px for facing in seen.facings)
    wanted = sorted(tuple(5 * edge for edge in cell_box(*cell)) for cell in SHELF)
    assert np.allclose(found, wanted, atol=1.0)


def test_times_of_the_stages_add_up(looker: Looker, shelf: Path) -> None:
    _, seen = looker.look_at(shelf)
    stages = dict(seen.timings_ms)
    total = stages.pop("total")
    assert set(stages) == {"read", "verdict", "detect", "rows", "gaps"}
    assert sum(stages.values()) <= total + 1


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        pytest.param(draw_cells([]), "no_shelf", id="no shelf"),
        pytest.param(draw_cells(SHELF) // 20, "too_dark", id="dark"),
    ],
)
def test_a_refused_photo_has_reasons_and_nothing_else(
    looker: Looker, picture: np.ndarray, reason: str
) -> None:
    stored = io.BytesIO()
    Image.fromarray(picture.astype(np.uint8)).save(stored, "PNG")
    _, seen = looker.look_at(stored.getvalue())
    assert seen.photo.verdict == "refused"
    assert seen.photo.codes == (reason,)
    assert seen.photo.reasons == (SENTENCES[reason].en,)
    assert (seen.facings, seen.gaps, seen.rows) == ((), (), ())
    assert "total" in seen.timings_ms


def test_a_drawing_shows_the_gap_and_leaves_the_photo(looker: Looker, shelf: Path) -> None:
    photo, seen = looker.look_at(shelf)
    drawn = draw_observation(photo.rgb, photo.scale, seen)
    x1, y1, _, y2 = map(round, seen.gaps[0].box_xyxy_px)
    edge = drawn[round((y1 + y2) / 2), x1].astype(int)
    assert np.abs(edge - GAP).max() < 60  # lines are smoothed
    assert (photo.rgb == draw_cells(SHELF)).all()


def test_look_prints_one_object_a_line(
    shelf: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "look", shelf, shelf, "--json", "--threads", 1) == 0
    lines = printed(capsys)
    assert len(lines) == 2
    for line in lines:
        assert set(line) == KEYS
        assert set(line["photo"]) == {"file", "width", "height", "verdict", "reasons", "codes"}
        assert set(line["facings"][0]) == {"box_xyxy_px", "score", "row", "counted"}
        assert {"box_xyxy_px", "score"} <= set(line["gaps"][0])
        assert "total" in line["timings_ms"]
        OBSERVATION_JSON.validate_python(line)


def test_what_is_half_seen_is_told_by_its_score_and_counts_nowhere() -> None:
    sure = Facing((0, 0, 10, 20), 0.9, 0)
    faint = Facing((20, 0, 30, 20), 0.04)
    photo = PhotoFacts("p", 40, 20, "usable")
    seen = Observation(
        photo=photo, facings=(sure,), doubtful=(faint,), model=ModelFacts("test", "1", 1280)
    )
    assert [(one["score"], one["row"], one["counted"]) for one in told(seen)["facings"]] == [
        (0.9, 0, True),
        (0.04, None, False),
    ]
    assert "doubtful" not in OBSERVATION_JSON.dump_python(seen)


def test_a_bad_photo_among_good_ones_costs_only_itself(
    shelf: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bad = tmp_path / "notes.jpg"
    bad.write_text("milk, eggs")
    assert run(monkeypatch, "look", shelf, bad, shelf, "--json", "--threads", 1) == 2
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 2
    assert [line for line in said.err.splitlines() if "notes.jpg" in line] == [
        f"storepulse: {bad}: the file holds no photo, whatever its name says; "
        "send a JPEG, HEIC, PNG or WebP photo"
    ]


def test_look_prints_a_table_for_people(
    shelf: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "look", shelf, "--threads", 1) == 0
    assert "usable" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--model", "none.onnx"], "no such detector file", id="model"),
        pytest.param(["--annotate", "seen.jpg"], ".png", id="annotate"),
    ],
)
def test_bad_arguments_are_one_line(
    arguments: list[str],
    said: str,
    shelf: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, "look", shelf, *arguments) == 2
    line = capsys.readouterr().err
    assert said in line
    assert len(line.splitlines()) == 1


def test_annotate_draws_each_photo(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.png"
    other.write_bytes(shelf.read_bytes())
    out = tmp_path / "seen.png"
    assert run(monkeypatch, "look", shelf, "--annotate", out) == 0
    with Image.open(out) as drawn:
        assert drawn.size == (640, 480)
    folder = tmp_path / "seen"
    assert run(monkeypatch, "look", shelf, other, "--annotate", folder) == 0
    assert {path.name for path in folder.iterdir()} == {"shelf.png", "other.png"}


def test_bench_and_survey_print_figures(
    shelf: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, "bench", shelf, "--runs", 2, "--json") == 0
    (bench,) = printed(capsys)
    assert {"read", "detect", "total", "blur"} <= {stage["stage"] for stage in bench["stages"]}
    assert bench["peak_memory_mb"] > 0
    labels = tmp_path / "rows.json"
    lines = [[64, 32 * row + 31, 576, 32 * row + 31] for row in (3, 7, 11)]
    lines.append([64, 200, 576, 200])  # where no row is
    labels.write_text(json.dumps({"rows": {shelf.name: {"rows": [{"line": x} for x in lines]}}}))
    assert run(monkeypatch, "survey", shelf, "--rows", labels, "--json") == 0
    (survey,) = printed(capsys)
    assert (survey["photos"], survey["refused"], survey["gaps_mean"]) == (1, 0, 1.0)
    assert (survey["rows_labelled"], survey["rows_met"]) == (4, 3)


def test_a_survey_refuses_labels_of_another_form(
    shelf: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    labels = tmp_path / "rows.json"
    labels.write_text('{"lines": []}')
    assert run(monkeypatch, "survey", shelf, "--rows", labels) == 2
    assert "no row labels" in capsys.readouterr().err


@pytest.fixture
def worker() -> Iterator["subprocess.Popen[bytes]"]:
    child = subprocess.Popen(
        [sys.executable, "-m", "vision.worker", "--model", str(MODEL), "--threads", "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with child:
        yield child
        child.kill()


def test_the_worker_answers_survives_a_bad_photo_and_ends_with_its_input(
    worker: "subprocess.Popen[bytes]", shelf: Path
) -> None:
    assert worker.stdin is not None
    assert worker.stdout is not None

    def ask(header: dict[str, Any], body: bytes = b"") -> dict[str, Any]:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(encode_frame(Frame(header, body)))
        worker.stdin.flush()
        answer = read_frame(worker.stdout)
        assert answer is not None
        return answer.header

    ready = read_frame(worker.stdout)
    assert ready is not None
    assert ready.header == {"ready": True, "model": "test"}
    by_path = ask({"photo": str(shelf), "id": "1"})
    assert set(by_path) == {*KEYS, "id"}
    refused = ask({"name": "notes.jpg", "id": "2"}, b"milk, eggs")
    assert (refused["bad_input"], refused["id"]) == (True, "2")
    assert refused["error"].startswith("notes.jpg: ")
    assert ask({"id": "3"})["bad_input"] is True
    by_bytes = ask({"name": "shelf.png"}, shelf.read_bytes())
    assert by_bytes["facings"] == by_path["facings"]
    worker.stdin.close()
    assert worker.wait(60) == 0


def test_the_worker_says_why_it_cannot_start() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "vision.worker", "--model", "none.onnx"],
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert ended.returncode == 1
    assert "no such detector file" in ended.stderr
    assert ended.stdout == ""
