"""The commands, with drawn eyes in place of the detector."""

import json
from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner

from planograms.check import app as check_app
from planograms.cli import app as planogram_app
from planograms.errors import BadPlanogram
from planograms.files import write_planogram
from tests.planograms.drawn import SECOND, observed, photographed, planogram, shelf
from vision.observation import Observation
from vision.photos import Photo, read_photo


class DrawnLooker:
    """Reads real files, sees what the drawn shelf's observation says."""

    def __init__(self, model: Path | None = None, *, threads: int = 2) -> None:
        self.sees = observed(plane=SECOND, without=[2])

    def look_at(
        self, source: Path | bytes, *, name: str | None = None
    ) -> tuple[Photo, Observation]:
        return read_photo(source, name=name), self.sees


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_planogram(tmp_path / "plan.json", planogram("p1"))
    picture = cv2.cvtColor(photographed(shelf(without=[2])), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(tmp_path / "shelf.png"), picture)
    return tmp_path


@pytest.fixture
def drawn_eyes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vision.look.Looker", DrawnLooker)


def test_show_names_rows_and_products(folder: Path) -> None:
    said = CliRunner().invoke(planogram_app, ["show", str(folder / "plan.json")])
    assert said.exit_code == 0
    assert "p10" in said.output
    data = json.loads(
        CliRunner().invoke(planogram_app, ["show", str(folder / "plan.json"), "--json"]).stdout
    )
    assert data["positions"] == 24
    assert [len(shelf["runs"]) for shelf in data["shelves"]] == [4, 4, 4]
    assert data["products"][0]["main_push"] is True


@pytest.mark.usefixtures("drawn_eyes")
def test_from_photo_writes_what_show_reads(folder: Path) -> None:
    plan = folder / "new.json"
    said = CliRunner().invoke(
        planogram_app,
        ["from-photo", str(folder / "shelf.png"), "-o", str(plan), "--main-push", "p1,r2-p01",
         "--bay", "b7", "--json"],
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    data = json.loads(said.stdout)
    assert (data["bay"], data["positions"], data["id"]) == ("b7", 23, "new")
    assert CliRunner().invoke(planogram_app, ["show", str(plan)]).exit_code == 0


@pytest.mark.usefixtures("drawn_eyes")
def test_check_says_and_draws_what_differs(folder: Path) -> None:
    drawing = folder / "out.png"
    arguments = [str(folder / "shelf.png"), "--planogram", str(folder / "plan.json")]
    said = CliRunner().invoke(check_app, [*arguments, "--json", "--annotate", str(drawing)])
    assert said.exit_code == 0, said.output
    data = json.loads(said.stdout)
    assert [(f["kind"], f["position"]) for f in data["findings"]] == [("missing", "r0-p03")]
    assert data["scores"]["exposure_basis"] == "main_push"
    assert cv2.imread(str(drawing)) is not None
    assert "missing" in CliRunner().invoke(check_app, arguments).output


def test_a_wrong_planogram_is_told_before_any_model_is_loaded(folder: Path) -> None:
    (folder / "plan.json").write_text("{}")
    said = CliRunner().invoke(
        check_app, [str(folder / "shelf.png"), "--planogram", str(folder / "plan.json")]
    )
    assert isinstance(said.exception, BadPlanogram)
