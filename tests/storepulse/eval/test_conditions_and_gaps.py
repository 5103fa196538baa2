"""Conditions and gaps, measured on drawn shelves by eyes whose answers are known."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from storepulse.eval import app
from storepulse.eval.conditions import AS_IT_WAS, eyes, measure_conditions
from storepulse.eval.gaps import LookedAt, Seen, measure_gaps, was_real
from storepulse.eval.progress import silently
from storepulse.simulated.conditions import lit, shrunk
from tests.storepulse.eval.drawn_shelves import cells, draw_data
from tests.vision.red_cells import MODEL
from vision.observation import Gap
from vision.training.gap_lessons import groups_of, held_out


@pytest.fixture(scope="module")
def shelves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_data(tmp_path_factory.mktemp("data") / "shelves")


def test_what_a_condition_costs_is_told_against_the_photo_as_it_was(shelves: Path) -> None:
    # The test's network sees red cells: half the resolution is shown to it enlarged again; a ten
    # thousandth of the light leaves nothing red enough.
    report = measure_conditions(
        shelves, eyes(MODEL, threads=1), seed=0, steps=silently,
        conditions=[shrunk(0.5), lit(1e-4)],
    )  # fmt: skip
    assert report.figure("ap50", AS_IT_WAS).value == pytest.approx(1)
    assert report.figure("ap50", AS_IT_WAS).n == 6 * len(cells())
    assert report.figure("ap50_lost", "0.5 of the resolution").value == pytest.approx(0, abs=0.02)
    assert report.figure("ap50_lost", "light 1/10000").value == pytest.approx(1, abs=0.02)


GROUPS = [f"scene{number}" for number in range(25)]
GAP = (30, 40, 70, 90)


@pytest.fixture
def gaps(tmp_path: Path) -> Path:
    """Twenty-five pictures of one gap each, one a group."""
    folder = tmp_path / "gaps"
    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    for number, group in enumerate(GROUPS):
        name = f"picture_{number}.png"
        cv2.imwrite(str(folder / "images" / name), np.full((120, 120, 3), 60, np.uint8))
        images.append(
            {"id": number, "file_name": name, "width": 120, "height": 120, "group": group,
             "source": "drawn"}
        )  # fmt: skip
        x1, y1, x2, y2 = GAP
        annotations.append({"image_id": number, "bbox": [x1, y1, x2 - x1, y2 - y1]})
    document = {"images": images, "annotations": annotations}
    (folder / "gaps.json").write_text(json.dumps(document))
    return folder


def test_gaps_are_measured_on_a_fifth_of_the_groups(gaps: Path) -> None:
    def sure(path: Path) -> Seen:
        return Seen((Gap(GAP, 0.9),), ())

    report = measure_gaps(gaps, None, sure, seed=0, steps=silently)
    away = held_out(set(groups_of(gaps / "gaps.json").values()))
    assert report.figure("ap50").value == pytest.approx(1)
    assert report.figure("ap50").n == len(away) == 5
    assert report.figure("ap50", "by geometry alone").value == 0
    assert report.figure("recall_as_told").value == 1


def test_weak_gaps_are_on_the_curve_but_not_told(gaps: Path) -> None:
    def shy(path: Path) -> Seen:
        return Seen((Gap(GAP, 0.2),), ())

    report = measure_gaps(gaps, None, shy, seed=0, steps=silently)
    assert report.figure("ap50").value == pytest.approx(1)
    assert report.figure("recall_as_told").value == 0


def test_gaps_on_full_shelves_count_as_false_unless_seen_to_be_real(
    gaps: Path, shelves: Path
) -> None:
    def everywhere(path: Path) -> Seen:
        return Seen((Gap(GAP, 0.9), Gap((200, 40, 240, 90), 0.3)), ())

    report = measure_gaps(gaps, shelves, everywhere, seed=0, steps=silently)
    assert report.figure("gaps_told_a_photo", "shelves").value == 1
    assert report.figure("false_gaps_a_photo", "shelves").value == 1
    assert report.figure("of_them_looked_at", "shelves").value == 0
    assert report.figure("real_of_looked_at", "shelves").value is None


def test_a_place_that_was_looked_at_is_known_again_by_its_overlap() -> None:
    places = [LookedAt((0, 0, 10, 10), False), LookedAt((30, 0, 40, 10), True)]
    assert was_real(Gap((31, 0, 41, 10), 0.9), places) is True
    assert was_real(Gap((1, 0, 11, 10), 0.9), places) is False
    assert was_real(Gap((60, 0, 70, 10), 0.9), places) is None
    assert was_real(Gap((60, 0, 70, 10), 0.9), []) is None


@pytest.mark.parametrize("measure", ["conditions", "gaps"])
def test_a_folder_without_the_data_is_one_clear_line(measure: str, tmp_path: Path) -> None:
    said = CliRunner().invoke(app, [measure, "--data", str(tmp_path), "--model", str(MODEL)])
    assert said.exception is not None
    assert "it holds no" in str(said.exception)
