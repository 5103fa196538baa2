"""Findings become a clerk's checklist, facts and a drawing."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from planograms.checklist import checklist_of
from planograms.drawing import _STYLES, draw_marks, marks_of
from planograms.facts import facts_of
from planograms.findings import Finding
from planograms.judge import METHOD, Judgement, judge_observation, prepare
from planograms.scores import scores_of
from storepulse.checklists import CHECKLIST_JSON, Checklist
from storepulse.facts import FACT_JSON
from tests.planograms.drawn import SECOND, observed, photo_of, photographed, planogram, shelf

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
GONE = [4, 5, 6, 11]  # three adjacent facings of the lowest shelf, one of the middle one
PLAN = planogram("r0-p05")


def judged() -> Judgement:
    picture = photographed(shelf(without=GONE))
    seen = observed(plane=SECOND, without=GONE)
    return judge_observation(photo_of(picture), seen, prepare(PLAN))


JUDGED = judged()


def checklist(judgement: Judgement = JUDGED, items_max: int = 12) -> Checklist:
    return checklist_of(judgement, PLAN, shop="s1", photo="6f1c", made_at=NOON, items_max=items_max)


def test_adjacent_missing_facings_of_one_product_are_one_item() -> None:
    middle, lowest = checklist().items
    assert (lowest.position, lowest.facings, lowest.kind) == ("r0-p05", 3, "missing")
    assert lowest.sentence.en == (
        f"Shelf 1 from the bottom, places 5 to 7: put back 3 facings of {lowest.sku}."
    )
    assert lowest.sentence.zh == f"从下往上第1层，第5至第7个位置：补上3个“{lowest.sku}”的排面。"
    assert middle.sentence.en == (
        f"Shelf 2 from the bottom, place 4: put back 1 facing of {middle.sku}."
    )


def test_a_clerk_walks_from_the_top_row_down() -> None:
    assert [item.row for item in checklist().items] == [1, 0]


def test_main_push_is_marked_and_survives_the_cap() -> None:
    assert [item.main_push for item in checklist().items] == [False, True]
    (kept,) = checklist(items_max=1).items
    assert kept.main_push


def test_the_same_judgement_gives_the_same_checklist() -> None:
    assert checklist() == checklist()
    assert CHECKLIST_JSON.validate_json(CHECKLIST_JSON.dump_json(checklist())) == checklist()
    another = checklist_of(JUDGED, PLAN, shop="s2", photo="6f1c", made_at=NOON)
    assert another.id != checklist().id


def test_a_shelf_as_planned_has_an_empty_checklist() -> None:
    assert checklist(replace(JUDGED, findings=())).items == ()


@pytest.mark.parametrize(
    ("kind", "sku", "seen", "words"),
    [
        pytest.param("wrong_product", "p1", "p4", "p4 stands here; put p1", id="known"),
        pytest.param("wrong_product", "p1", None, "another product stands here", id="unknown"),
        pytest.param("misplaced", "p1", "p4", "move p4 to its own place", id="misplaced"),
        pytest.param("short", "p1", None, "put 1 more facing of p1", id="short"),
        pytest.param("extra", "p1", None, "a facing too many", id="extra"),
        pytest.param("unexpected", None, None, "New here?", id="unexpected"),
        pytest.param("wrong_price", "p1", None, "change the price tag of p1", id="price"),
    ],
)
def test_each_kind_of_finding_has_its_sentence(
    kind: str, sku: str | None, seen: str | None, words: str
) -> None:
    finding = Finding(
        kind=kind,  # type: ignore[arg-type]
        box_xyxy_px=(100, 30, 180, 200), confidence=0.8, sku=sku,
        position=None if kind in ("extra", "unexpected") else "r2-p01", seen=seen,
    )  # fmt: skip
    (item,) = checklist(replace(JUDGED, findings=(finding,))).items
    assert words in item.sentence.en
    assert item.sentence.zh
    assert item.row == 2
    assert item.facings == 1


def test_scores_are_said_as_facts() -> None:
    facts = facts_of(
        JUDGED, PLAN, shop="s1", photo="6f1c", taken_at=NOON, source="/storepulse/c/s/n"
    )
    told = {fact.metric: fact for fact in facts}
    assert told.keys() == {
        "exposure_main_push", "position_compliance", "facing_compliance", "on_shelf_availability",
    }  # fmt: skip
    exposure = told["exposure_main_push"]
    assert exposure.dims["basis"] == "main_push"
    assert exposure.method == METHOD
    assert exposure.value is not None
    assert exposure.value < 0.1
    assert exposure.id == "6f1c:exposure_main_push"
    assert all(FACT_JSON.validate_json(FACT_JSON.dump_json(fact)) == fact for fact in facts)


def test_a_bay_out_of_view_is_said_as_unknown() -> None:
    unseen = tuple(
        replace(state, status="unobserved", box_xyxy_px=None, right=None)
        for state in JUDGED.positions
    )
    blind = replace(JUDGED, positions=unseen, scores=scores_of(PLAN, unseen))
    for fact in facts_of(blind, PLAN, shop="s1", photo="1", taken_at=NOON, source="n"):
        assert (fact.value, fact.coverage) == (None, 0.0)


def test_marks_are_outlines_that_leave_the_goods_to_be_seen() -> None:
    picture = shelf()
    marks = marks_of(JUDGED.findings)
    drawn = draw_marks(picture, marks, scale=1.0, note="not in view: 3")
    assert drawn.shape[1] == picture.shape[1]
    assert drawn.shape[0] > picture.shape[0]
    changed = (drawn[: picture.shape[0]] != picture).any(axis=2)
    for mark in marks:
        x1, y1, x2, y2 = (round(value) for value in mark.box_xyxy_px)
        inside = changed[y1 + 40 : y2 - 8, x1 + 8 : x2 - 8]
        assert not inside.any()
        assert changed[y1 - 3 : y2 + 3, x1 - 3 : x2 + 3].any()
    assert np.array_equal(picture, shelf())


def test_kinds_differ_in_colour_and_in_shape() -> None:
    assert len({colour for _, colour, _ in _STYLES.values()}) == len(_STYLES)
    assert len({corners for _, _, corners in _STYLES.values()}) == len(_STYLES)


def test_what_costs_most_a_day_survives_the_cap() -> None:
    lowest, middle = JUDGED.findings[-1], JUDGED.findings[0]
    sold = {lowest.sku: 10.0, middle.sku: 900.0}
    plan = replace(PLAN, products=tuple(
        replace(each, value_a_day=sold.get(each.sku)) for each in PLAN.products
    ))  # fmt: skip

    def listed(items_max: int) -> Checklist:
        return checklist_of(
            JUDGED, plan, shop="s1", photo="6f1c", made_at=NOON, items_max=items_max
        )

    (kept,) = listed(1).items
    assert (kept.sku, kept.main_push) == (middle.sku, False)
    # One of its planned facings is gone, as surely as the photo tells.
    planned = sum(each.product == kept.sku for each in plan.positions)
    assert kept.value_a_day is not None
    assert kept.value_a_day == pytest.approx(900 / planned * kept.confidence, abs=0.5)
    assert all(item.positions[0] == item.position for item in listed(12).items)
    assert [len(item.positions) for item in listed(12).items] == [1, 3]
