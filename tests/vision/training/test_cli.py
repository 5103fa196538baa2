"""The commands, from the outside."""

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from storepulse.errors import BadInput
from tests.vision.red_cells import MODEL, cell_box, draw_cells
from vision.detector import Detector, Limits, Look
from vision.training.cli import app

RUNNER = CliRunner()
PARTS = ("torch", "ultralytics", "onnx", "safetensors")


def has_training_parts():
    # Found, not imported: ultralytics must meet our settings first.
    missing = [part for part in PARTS if find_spec(part) is None]
    if missing:
        pytest.skip(f"training is not installed: {missing}")


@pytest.mark.parametrize("command", ["train", "export", "measure", "calibrate", "train-gaps"])
def test_help_has_an_example(command):
    result = RUNNER.invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert f"storepulse vision {command}" in " ".join(result.output.split())


def test_the_commands_load_without_torch():
    code = (
        f"import sys, vision.training.cli; sys.exit(any(name in sys.modules for name in {PARTS!r}))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["{}/none.json", "--minutes", "1"], "cannot be read", id="no labels"),
        pytest.param(["{}/labels.json"], "minutes or in iterations", id="no length"),
        pytest.param(
            ["{}/labels.json", "--minutes", "1", "--measure", "{}/labels.json"],
            "trained on and measured on",
            id="measured on what it learned",
        ),
        pytest.param(
            ["{}/labels.json", "--minutes", "1", "--start", "{}/labels.json"],
            "safetensors",
            id="start is no weights",
        ),
    ],
)
def test_bad_input_is_one_line(shelves, tmp_path, arguments, words):
    has_training_parts()
    given = [argument.format(shelves) for argument in arguments]
    result = RUNNER.invoke(app, ["train", *given, "--run", str(tmp_path / "run")])
    assert isinstance(result.exception, BadInput)
    assert words in str(result.exception)
    assert "\n" not in str(result.exception)
    assert result.stdout == ""


def test_a_model_that_is_none_cannot_be_measured(shelves):
    model = shelves / "labels.json"
    result = RUNNER.invoke(app, ["measure", str(model), str(shelves / "labels.json")])
    assert isinstance(result.exception, BadInput)
    assert "ONNX" in str(result.exception)


def test_a_run_from_labels_to_card_and_back_to_a_start(shelves, tmp_path):
    has_training_parts()
    labels, run = str(shelves / "labels.json"), tmp_path / "run"
    common = ["train", labels, "--split", "train", "--batch-size", "1", "--threads", "1"]
    result = RUNNER.invoke(app, [*common, "--run", str(run), "--iterations", "1", "--json"])
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == {"model": str(run / "latest.onnx"), "figures": {}}
    assert "Nothing was measured." in (run / "MODEL_CARD.md").read_text(encoding="utf-8")

    # From its weights on, with relabelling, measured on the photo kept apart.
    held_out = json.loads((shelves / "labels.json").read_text(encoding="utf-8"))
    held_out["images"] = [image for image in held_out["images"] if image["split"] == "check"]
    held_out["annotations"] = [box for box in held_out["annotations"] if box["image_id"] == 3]
    (shelves / "check.json").write_text(json.dumps(held_out), encoding="utf-8")
    further = ["--run", str(tmp_path / "further"), "--start", str(run / "latest.safetensors")]
    check = ["--measure", str(shelves / "check.json")]
    result = RUNNER.invoke(app, [*common, *further, *check, "--iterations", "1", "--json"])
    assert result.exit_code == 0, result.stderr
    figures = json.loads(result.stdout)["figures"]
    assert list(figures) == ["start (latest.safetensors)", "facings 1"]
    assert all(figure["facings"] == 24 for figure in figures.values())
    card = (tmp_path / "further" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "| start (latest.safetensors) |" in card
    assert (tmp_path / "further" / "log.csv").read_text(encoding="utf-8").count("\n") == 2

    # The same folder with other photos is no continuation.
    result = RUNNER.invoke(
        app, ["train", labels, "--split", "check", *further, "--iterations", "2"]
    )
    assert isinstance(result.exception, BadInput)
    assert "other photos" in str(result.exception)


def test_export_prints_nothing_but_the_facts_of_the_model(tmp_path):
    has_training_parts()
    from vision.training.network import build_network, save_weights

    save_weights(build_network(), tmp_path / "w.safetensors")
    model = tmp_path / "m.onnx"
    arguments = [str(tmp_path / "w.safetensors"), "-o", str(model), "--version", "9", "--json"]
    # In a process of its own: ultralytics talks on the real stdout if it is let.
    code = "from vision.training.cli import app; app()"
    result = subprocess.run(
        [sys.executable, "-c", code, "export", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    facts = json.loads(result.stdout)
    assert (facts["name"], facts["version"]) == ("facings", "9")
    assert model.is_file()


def test_calibrate_writes_looks_and_three_numbers_into_the_model(tmp_path):
    has_training_parts()
    labels, model = half_labelled_cells(tmp_path), tmp_path / "model.onnx"
    shutil.copyfile(MODEL, model)
    said = RUNNER.invoke(
        app,
        ["calibrate", str(model), str(labels), "--looks", "640 640m", "--threads", "1", "--json"],
        catch_exceptions=False,
    )
    told = json.loads(said.stdout)
    detector = Detector(model, threads=1)
    assert detector.looks == (Look(640), Look(640, mirrored=True))
    assert detector.calibration.in_words() == told["calibration"]
    # Half of what it finds is labelled, so half of what it says is right.
    found = detector.find(draw_cells(CELLS), Limits(score_min=0.01))
    assert found.scores == pytest.approx(np.full(len(CELLS), 0.5), abs=0.03)


CELLS = [(column, row) for column in range(1, 19, 2) for row in range(1, 13, 2)]


def half_labelled_cells(folder):
    """Five photos of 54 facings that the tests' network finds, every second one labelled."""
    images, annotations = [], []
    for number in range(5):
        name = f"cells_{number}.png"
        Image.fromarray(draw_cells(CELLS)).save(folder / name)
        images.append({"id": number, "file_name": name, "width": 640, "height": 480})
        for cell in CELLS[::2]:
            x1, y1, x2, y2 = cell_box(*cell)
            annotations.append({"image_id": number, "bbox": [x1, y1, x2 - x1, y2 - y1]})
    path = folder / "labels.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations}))
    return path
