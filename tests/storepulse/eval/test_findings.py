"""The measure of findings: right, false and doubtful ones are told apart, and calibration is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from planograms.compare import Comparison, Heard
from planograms.confidence import NAMES, Witnesses
from planograms.findings import Finding, PositionState
from storepulse.eval.data_folders import WrongData
from storepulse.eval.findings import (
    calibration_error,
    chosen,
    measure_pairs,
    photos_of,
    report_of,
)
from storepulse.eval.learn_confidence import learn, lesson_of
from storepulse.eval.progress import silently
from storepulse.eval.second_photos import Case, real_cases
from tests.planograms.bays import bay
from tests.storepulse.eval.drawn_shelves import BrightEyes, draw_coloured_data, draw_coloured_packs

PLAN = bay([[1, 1, 2, 3], [4, 5, 6, 6]])
PLACES = np.array([p.box_xyxy for p in PLAN.in_order])


def claim(at: int | None, confidence: float = 0.9, *, box: int | None = None) -> Finding:
    position = None if at is None else PLAN.in_order[at]
    place = PLACES[at if box is None else box]  # type: ignore[index]
    return Finding(
        kind="missing" if position else "unexpected", box_xyxy_px=tuple(place.tolist()),
        confidence=confidence, sku=None, position=position.id if position else None,
    )  # fmt: skip


def case(*findings: Finding, photo: str = "a", erased=(), replaced=(), doubtful=()) -> Case:  # type: ignore[no-untyped-def]
    states = tuple(
        PositionState(id=p.id, sku="s", status="ok", box_xyxy_px=p.box_xyxy, right=0.9)
        for p in PLAN.in_order
    )
    return Case(
        photo=photo, condition="dark", planogram=PLAN, told=Comparison(states, findings),
        facing_of=np.arange(8), erased=frozenset(erased), replaced=frozenset(replaced),
        doubtful=frozenset(doubtful), places_px=PLACES,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("finding", "right"),
    [
        pytest.param(claim(2), True, id="the erased facing itself"),
        pytest.param(claim(0), True, id="another facing of the run that lost one"),
        pytest.param(claim(4), True, id="a replaced one"),
        pytest.param(claim(7), None, id="in whose place a look-alike stands"),
        pytest.param(claim(5), False, id="one that is in place"),
        pytest.param(claim(None, box=4), None, id="something new where one was replaced"),
        pytest.param(claim(None, box=5), False, id="something new where nothing changed"),
    ],
)
def test_a_finding_is_right_where_something_changed(finding: Finding, right: bool | None) -> None:
    told = case(finding, erased=[1, 2], replaced=[4], doubtful=[7])
    assert told.right(finding) is right


def test_an_erased_facing_is_found_within_its_run() -> None:
    told = case(claim(0), erased=[1, 2])
    assert told.found() == {1}
    assert told.asked() == {1, 2}
    assert replace(told, facing_of=np.full(8, -1)).asked() == frozenset()


def test_figures_count_what_is_false_and_what_is_found() -> None:
    cases = [
        *(case(photo=str(k)) for k in range(5)), case(claim(5), photo="5"),
        *(case(claim(2), claim(5), photo=str(k), erased=[1, 2]) for k in range(6)),
    ]  # fmt: skip
    report = report_of("findings", cases, lambda each: each.photo, seed=0, settings={}, notes=())
    assert report.figure("false_findings_a_bay_untouched").value == pytest.approx(1 / 6)
    assert report.figure("recall_of_changes").value == 0.5
    assert report.figure("precision").value == pytest.approx(6 / 13)
    assert report.figure("recall_of_changes", "dark").n == 12
    with pytest.raises(KeyError):
        report.figure("expected_calibration_error")
    assert any("calibration is not known" in note for note in report.notes)
    assert "5 (dark) 1" in report.notes[-1]


def test_calibration_is_told_from_400_findings_on() -> None:
    cases = [
        case(*[claim(2)] * 9, claim(5), photo=str(k), erased=[2]) for k in range(45)
    ]  # fmt: skip
    report = report_of("findings", cases, lambda each: each.photo, seed=0, settings={}, notes=())
    assert report.figure("expected_calibration_error").value == pytest.approx(0, abs=1e-9)
    assert report.figure("right_of_claims_surer_than_0.9").value == pytest.approx(0.9)


def test_the_error_is_the_distance_of_saying_and_being() -> None:
    sure_and_wrong = np.array([[0.99, 0.0]] * 10)
    assert calibration_error(sure_and_wrong) == pytest.approx(0.99)
    half = np.array([[0.8, 1.0]] * 3 + [[0.8, 0.0]])
    assert calibration_error(half) == pytest.approx(0.05)


def test_a_second_photo_of_an_unchanged_shelf_is_calm_and_erased_facings_are_found(
    tmp_path: Path,
) -> None:
    draw_coloured_packs(tmp_path / "shelf.png", seed=1)
    looked = BrightEyes().look_at(tmp_path / "shelf.png")
    calm, bare = real_cases(looked, looked, np.eye(3), BrightEyes(), seed=3)
    assert calm.told.findings == ()
    assert len(bare.asked()) == 4
    assert len(bare.found()) >= 3
    assert all(bare.right(finding) is not False for finding in bare.told.findings)


def test_confidence_can_be_learnt_from_what_witnesses_said() -> None:
    random = np.random.default_rng(0)
    cases = []
    for _ in range(40):
        wrong = random.random(4) < 0.5
        columns = {name: np.full(4, np.nan) for name in NAMES}
        columns["before"] = np.where(wrong, 2.0, 0.0) + random.normal(0, 1, 4)
        heard = Heard(np.arange(4) * 2, np.ones(4, bool), Witnesses(**columns))
        told = case(erased=(np.flatnonzero(wrong) * 2).tolist())
        cases.append(replace(told, told=replace(told.told, heard=heard)))
    lesson = lesson_of(cases, "missing")
    assert lesson.table.shape == (160, len(NAMES))
    curve = learn(lesson)
    assert curve.weights[0] > 1
    assert all(weight == 0 for weight in curve.weights[1:])
    chance = 1 / (1 + np.exp(-(curve.level + lesson.table @ np.array(curve.weights))))
    assert chance.mean() == pytest.approx(lesson.right.mean(), abs=0.02)
    assert len(lesson_of(cases, "wrong").right) == 0
    with pytest.raises(ValueError, match="some right and some wrong"):
        learn(lesson_of(cases, "wrong"))


def test_photos_are_chosen_by_seed_and_split(tmp_path: Path) -> None:
    folder = draw_coloured_data(tmp_path / "shelves", photos=4)
    paths = photos_of(folder, "val")
    assert len(paths) == 4
    assert chosen(paths, 2, 1) == chosen(paths, 2, 1)
    assert len(chosen(paths, 2, 1)) == 2
    assert chosen(paths, None, 1) == paths
    with pytest.raises(WrongData, match="tobacco_photos"):
        measure_pairs(folder, BrightEyes(), odd=False, photos_max=1, seed=0, steps=silently)
