"""Pixels in, findings out, on a drawn shelf."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from planograms.judge import (
    JUDGEMENT_JSON,
    Judgement,
    judge,
    judge_observation,
    judgement_as_json,
    prepare,
)
from planograms.pictures import packed
from tests.planograms.drawn import (
    PRODUCTS_BY_ROW,
    SECOND,
    boxes,
    observed,
    photo_of,
    photographed,
    planogram,
    shelf,
)
from vision.faces import blurred
from vision.observation import Observation
from vision.photos import Photo
from vision.register import features, register

READY = prepare(planogram())


def judged(picture: np.ndarray, observation: Observation) -> Judgement:
    return judge_observation(photo_of(photographed(picture)), observation, READY)


def told(judgement: Judgement) -> set[tuple[str, str | None]]:
    return {(finding.kind, finding.position) for finding in judgement.findings}


def test_facings_that_look_alike_become_one_product() -> None:
    products = [position.product for position in planogram().in_order]
    planned = [product for row in PRODUCTS_BY_ROW for product in row]
    assert len(set(zip(products, planned, strict=True))) == 10


def test_the_product_with_the_most_facings_is_p1() -> None:
    facings = Counter(position.product for position in planogram().positions)
    counts = [facings[f"p{number}"] for number in range(1, 11)]
    assert counts == sorted(counts, reverse=True)


def test_a_second_photo_of_the_same_shelf_has_no_findings() -> None:
    judgement = judged(shelf(), observed(plane=SECOND))
    assert judgement.findings == ()
    assert judgement.registration.by == "pixels"
    assert judgement.registration.inliers >= 30


def test_erased_facings_are_missing_where_they_should_stand() -> None:
    gone = [2, 11, 12]
    judgement = judged(shelf(without=gone), observed(plane=SECOND, without=gone))
    assert told(judgement) == {
        ("missing", "r0-p03"), ("missing", "r1-p04"), ("missing", "r1-p05"),
    }  # fmt: skip
    first = next(f for f in judgement.findings if f.position == "r0-p03")
    corner = SECOND @ [*boxes()[2, :2], 1]
    assert first.box_xyxy_px[:2] == pytest.approx(corner[:2] / corner[2], abs=6)
    assert first.confidence > 0.8


def test_a_facing_that_the_detector_missed_is_not_missing() -> None:
    judgement = judged(shelf(), observed(plane=SECOND, without=[2, 11, 12]))
    assert judgement.findings == ()
    assert {state.status for state in judgement.positions} == {"ok"}


def test_a_box_about_a_bare_stretch_does_not_hide_that_it_is_bare() -> None:
    judgement = judged(shelf(without=[2]), observed(plane=SECOND))
    assert told(judgement) == {("missing", "r0-p03")}


def test_a_facing_that_the_planogram_did_not_have_but_its_photo_shows_is_no_finding() -> None:
    plan = planogram()
    fewer = replace(plan, positions=tuple(p for p in plan.positions if p.id != "r2-p03"))
    photo = photo_of(photographed(shelf()))
    judgement = judge_observation(photo, observed(plane=SECOND), prepare(fewer))
    assert judgement.findings == ()


def test_exchanged_products_are_misplaced_and_a_strange_one_is_wrong() -> None:
    # 7 and 15 hold products 4 and 7: exchanged. 20 gets product 10, which its own place keeps.
    judgement = judged(shelf(put={7: 7, 15: 4, 20: 10}), observed(plane=SECOND))
    assert told(judgement) == {
        ("misplaced", "r0-p08"), ("misplaced", "r1-p08"), ("wrong_product", "r2-p05"),
    }  # fmt: skip
    seen = {finding.position: finding.seen for finding in judgement.findings}
    plan = READY.planogram
    assert seen["r0-p08"] == plan.position_by_id["r1-p08"].product


def test_without_registration_rows_and_sequences_tell_the_same() -> None:
    gone = [2, 11]
    photo = photo_of(photographed(shelf(without=gone)))
    blind = replace(READY, key_points=None)
    judgement = judge_observation(photo, observed(plane=SECOND, without=gone), blind)
    assert judgement.registration.by == "facings"
    assert told(judgement) == {("missing", "r0-p03"), ("missing", "r1-p04")}


def test_a_pack_that_the_face_finder_blurred_can_still_be_told_from_bare_shelf() -> None:
    plan = planogram()
    assert plan.reference is not None
    box = (40.0, 560.0, 92.0, 620.0)  # inside the first facing of the lowest shelf
    kept = blurred(shelf(), np.array([box], dtype=np.int64))
    reference = replace(plan.reference, picture=packed(kept), blurred=(box,))
    ready = prepare(replace(plan, reference=reference))
    eyes = observed(plane=SECOND, without=[0])
    full = judge_observation(photo_of(photographed(shelf())), eyes, ready)
    assert full.findings == ()
    bare = judge_observation(photo_of(photographed(shelf(without=[0]))), eyes, ready)
    assert told(bare) == {("missing", "r0-p01")}


def test_a_facing_cut_off_by_the_edge_is_not_called_wrong() -> None:
    whole = observed(plane=SECOND)
    narrow = np.ascontiguousarray(photographed(shelf())[:, :480])  # through the fifth facings
    cut = tuple(
        replace(f, box_xyxy_px=(*f.box_xyxy_px[:2], min(f.box_xyxy_px[2], 480.0), f.box_xyxy_px[3]))
        for f in whole.facings
        if f.box_xyxy_px[0] < 470
    )
    judgement = judge_observation(photo_of(narrow), replace(whole, facings=cut), READY)
    assert judgement.findings == ()
    assert {s.status for s in judgement.positions} == {"ok", "unobserved"}


def test_half_a_photo_leaves_the_rest_unobserved() -> None:
    half = photographed(shelf())[:, :450]
    whole = observed(plane=SECOND)
    seen = replace(whole, facings=tuple(f for f in whole.facings if f.box_xyxy_px[2] <= 450))
    judgement = judge_observation(photo_of(np.ascontiguousarray(half)), seen, READY)
    assert judgement.findings == ()
    statuses = Counter(state.status for state in judgement.positions)
    assert statuses["unobserved"] == 12
    assert statuses["ok"] == 12
    assert judgement.scores.facing_compliance.coverage == 0.5


def test_a_refused_photo_observes_nothing() -> None:
    whole = observed()
    refused = replace(
        whole, facings=(), rows=(), photo=replace(whole.photo, verdict="refused", reasons=("blur",))
    )
    judgement = judge_observation(photo_of(photographed(shelf())), refused, READY)
    assert {state.status for state in judgement.positions} == {"unobserved"}
    assert judgement.findings == ()
    assert judgement.scores.facing_compliance.value is None


def test_another_shelf_is_not_registered() -> None:
    random = np.random.default_rng(3)
    other = random.integers(0, 255, (35, 45, 3), dtype=np.uint8).repeat(20, 0).repeat(20, 1)
    assert not register(features(shelf()), features(other)).found
    plain = np.full((300, 400, 3), 128, np.uint8)
    assert not register(features(shelf()), features(plain)).found


class DrawnEyes:
    """Eyes that see a given observation."""

    def __init__(self, observation: Observation) -> None:
        self.observation = observation

    def look(self, photo: Photo) -> Observation:
        return self.observation


def test_a_judgement_is_the_observation_and_what_differs() -> None:
    photo = photo_of(photographed(shelf(without=[2])))
    judgement = judge(photo, READY, DrawnEyes(observed(plane=SECOND, without=[2])))
    data = judgement_as_json(judgement)
    assert {"photo", "facings", "gaps", "rows", "timings_ms", "model"} < data.keys()
    assert data["positions"][2] == {
        "id": "r0-p03", "sku": data["findings"][0]["sku"], "status": "missing",
        "box_xyxy_px": data["findings"][0]["box_xyxy_px"], "right": data["positions"][2]["right"],
    }  # fmt: skip
    assert {"kind", "box_xyxy_px", "confidence", "sku", "position"} < data["findings"][0].keys()
    assert data["scores"]["exposure_basis"] == "facing_compliance"
    assert {"describe", "register", "match", "compare", "total"} <= data["timings_ms"].keys()
    again = JUDGEMENT_JSON.validate_json(JUDGEMENT_JSON.dump_json(judgement))
    assert again == judgement
