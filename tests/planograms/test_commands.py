"""The commands, with drawn eyes in place of the detector."""

import json
import sys
from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner

from planograms.check import app as check_app
from planograms.cli import app as planogram_app
from planograms.errors import BadPlanogram
from planograms.files import write_planogram
from storepulse.errors import BadInput
from tests.planograms.drawn import SECOND, observed, photographed, planogram, shelf
from vision.cli import app as vision_app
from vision.observation import Observation, PhotoFacts
from vision.photos import Photo, read_photo
from vision.tags.lines import Pixels, TextLine, Wanted


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


class RefusingLooker(DrawnLooker):
    """Refuses what it reads."""

    def look_at(
        self, source: Path | bytes, *, name: str | None = None
    ) -> tuple[Photo, Observation]:
        photo = PhotoFacts("shelf.png", 10, 10, "refused", ("It is too dark.",), ("too_dark",))
        return read_photo(source, name=name), Observation(photo=photo, model=self.sees.model)


class TellsOnePrice:
    """Reads the same line on each photo that it is shown."""

    def read(self, rgb: Pixels, wanted: Wanted) -> list[TextLine]:
        return [TextLine("199", 0.9, (0, 0, 60, 20))]


@pytest.fixture
def reads_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vision.tags.rapid.RapidReader", lambda **_more: TellsOnePrice())


@pytest.mark.usefixtures("drawn_eyes", "reads_tags")
def test_check_tells_prices_in_words_and_as_json(folder: Path) -> None:
    arguments = [str(folder / "shelf.png"), "--planogram", str(folder / "plan.json"), "--prices"]
    data = json.loads(CliRunner().invoke(check_app, [*arguments, "--json"]).stdout)
    assert data["price_compliance"]["value"] is None
    assert [tag["price"] for tag in data["tags"]] == ["199"]
    assert "prices as planned: unknown" in CliRunner().invoke(check_app, arguments).stdout


@pytest.mark.usefixtures("reads_tags")
@pytest.mark.parametrize("more", [[], ["--prices"], ["--json"], ["--prices", "--json"]])
def test_a_refused_photo_is_one_line_and_exit_code_2(
    folder: Path, monkeypatch: pytest.MonkeyPatch, more: list[str]
) -> None:
    monkeypatch.setattr("vision.look.Looker", RefusingLooker)
    arguments = [str(folder / "shelf.png"), "--planogram", str(folder / "plan.json"), *more]
    said = CliRunner().invoke(check_app, arguments)
    assert said.exit_code == 2
    assert said.stderr.count("\n") == 1
    assert "It is too dark." in said.stderr
    assert bool(said.stdout) == ("--json" in more)


@pytest.mark.usefixtures("reads_tags")
def test_tags_says_of_each_photo_why_it_cannot_be_read_and_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "text.jpg").write_text("no photo")
    photos = [str(folder / name) for name in ("none.jpg", "text.jpg", "shelf.png")]
    monkeypatch.setattr("vision.cli.Looker", DrawnLooker)
    said = CliRunner().invoke(vision_app, ["tags", *photos])
    assert said.exit_code == 2
    told = [line for line in said.stderr.splitlines() if line.startswith("storepulse: ")]
    assert [line.split(": ")[1] for line in told] == photos[:2]
    assert "199" in said.stdout
    monkeypatch.setattr("vision.cli.Looker", RefusingLooker)
    said = CliRunner().invoke(vision_app, ["tags", photos[2]])
    assert (said.exit_code, said.stdout) == (2, "")
    assert "It is too dark." in said.stderr


@pytest.mark.parametrize("command", ["check", "tags"])
def test_without_its_reader_prices_say_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    photo = str(folder / "shelf.png")
    asked, arguments = check_app, [photo, "--planogram", str(folder / "plan.json"), "--prices"]
    if command == "tags":
        asked, arguments = vision_app, ["tags", photo]
    with pytest.raises(BadInput, match=r"pip install 'storepulse\[ocr\]'"):
        CliRunner().invoke(asked, arguments, catch_exceptions=False)
