"""The judgement's measures on small drawn data: they count what they say they count."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planograms.findings import Finding
from storepulse.eval.bays import BY_ROWS, REGISTERED, counts, judged, measure_bays
from storepulse.eval.layouts import measure_layouts, planogram_of, read_layouts
from storepulse.eval.matching_time import SEVERAL_MAPS, measure_matching_time
from storepulse.eval.progress import silently
from storepulse.eval.restocked import NO_REFERENCE, Planted, measure_restocked, owners, true_shares
from storepulse.eval.restocked import REGISTERED as BY_PHOTO
from storepulse.simulated.bays import CLEAN, NOISY, draw_plan, show
from storepulse.simulated.restocking import HARDER, photographed, restock
from storepulse.simulated.second_photos import Changes
from tests.planograms.bays import bay
from tests.storepulse.eval.drawn_shelves import BrightEyes, draw_coloured_data, draw_coloured_packs


def test_what_is_planted_in_drawn_bays_is_found() -> None:
    report = measure_bays(bays=6, seed=1, steps=silently)
    for way in (BY_ROWS, REGISTERED):
        clean = report.figure("F1", f"clean: {way}")
        assert clean.value is not None
        assert clean.value > 0.95
        assert (clean.n or 0) > 20
        noisy = report.figure("F1", f"noisy: {way}")
        alone = report.figure("F1", f"noisy, changes alone: {way}")
        assert (noisy.value or 0) > (alone.value or 0) > 0.2


def test_a_run_that_was_stopped_goes_on_from_what_was_kept(tmp_path: Path) -> None:
    whole = measure_bays(bays=5, seed=2, steps=silently)
    measure_bays(bays=5, seed=2, steps=silently, keep=tmp_path)
    kept = sorted(tmp_path.glob("*/2-*.json"))
    assert len(kept) == 5
    kept[3].unlink()
    kept[0].write_bytes(kept[1].read_bytes())
    again = measure_bays(bays=5, seed=2, steps=silently, keep=tmp_path)
    # What is kept is not judged anew: the first bay counts as the second does.
    assert again.figures != whole.figures
    kept[0].unlink()
    assert measure_bays(bays=5, seed=2, steps=silently, keep=tmp_path) == whole


def test_matching_is_timed_each_way() -> None:
    report = measure_matching_time(facings=60, bays=1, runs=2, seed=1, steps=silently)
    assert {figure.of for figure in report.figures} == {BY_ROWS, REGISTERED, SEVERAL_MAPS}
    assert all((figure.value or 0) > 0 and figure.n == 2 for figure in report.figures)


def test_a_drawn_bay_is_the_same_for_the_same_seed_and_holds_what_it_says() -> None:
    plan = draw_plan(np.random.default_rng(5))
    assert 2 <= len(plan.shelves) <= 8
    one, two = (show(plan, np.random.default_rng(6), noise=NOISY) for _ in range(2))
    assert np.array_equal(one.boxes_px, two.boxes_px)
    clean = show(plan, np.random.default_rng(6), noise=CLEAN)
    assert {d.position for d in clean.seen if d.position is not None} == {
        d.position for d in clean.planted if d.position is not None
    }
    assert all(clean.asked[d.position] for d in clean.seen if d.position is not None)


def finding(box: tuple[float, float, float, float]) -> Finding:
    return Finding(kind="missing", box_xyxy_px=box, confidence=0.9, sku="a", position="x")


def test_a_deviation_is_told_once_and_only_at_its_place() -> None:
    planted = (Planted(what="erased", position=0, box_px=(0, 0, 10, 10)),)
    near, twice, far = finding((1, 0, 11, 10)), finding((3, 0, 13, 10)), finding((40, 0, 50, 10))
    assert owners([far, near, twice], planted) == (-1, 0, -1)
    assert owners([], planted) == ()
    assert owners([far], ()) == (-1,)


def test_true_shares_count_places_runs_and_products() -> None:
    plan = bay([[1, 1, 2, 3]], main_push=1)
    assert true_shares(plan, frozenset({0, 3})) == {
        "facing_compliance": 0.5, "position_compliance": pytest.approx(2 / 3),
        "on_shelf_availability": pytest.approx(2 / 3), "exposure_main_push": 0.5,
    }  # fmt: skip


def test_restocking_moves_a_third_a_little_and_takes_what_is_erased(tmp_path: Path) -> None:
    draw_coloured_packs(tmp_path / "shelf.png", seed=1)
    picture = BrightEyes().look_at(tmp_path / "shelf.png")[0].rgb
    boxes = [(80.0 + 78 * k, 100.0, 140.0 + 78 * k, 190.0) for k in range(8)]
    calm, places = restock(picture, boxes, seed=2)
    off = np.abs(places - boxes).max(axis=1)
    assert 0 < (off > 0).sum() < 8
    assert off.max() < 8
    bare, _ = restock(picture, boxes, seed=2, changes=Changes(erased=[3]))
    x1, y1, x2, y2 = (int(edge) for edge in boxes[3])
    assert bare[y1:y2, x1:x2].mean() < 0.5 * calm[y1:y2, x1:x2].mean()
    for name in HARDER:
        seen = photographed(calm, places, name, seed=2)
        assert seen.places_px.shape == (8, 4)
    with pytest.raises(KeyError):
        photographed(calm, places, "fog", seed=2)


def test_a_restocked_shelf_is_judged_each_way(tmp_path: Path) -> None:
    folder = draw_coloured_data(tmp_path / "shelves", photos=1)
    report = measure_restocked(
        folder, BrightEyes(), photos_max=None, trials=1, harder=False, seed=4, steps=silently
    )
    assert report.figure("recall", BY_PHOTO).n == 5
    assert (report.figure("recall", BY_PHOTO).value or 0) >= 0.6
    assert report.figure("recall", NO_REFERENCE).n == 5
    assert report.figure("false_findings_a_bay_untouched", BY_PHOTO).value == 0
    assert report.figure("interval_holds_facing_compliance", BY_PHOTO).n == 2


def draw_layouts(folder: Path) -> Path:
    (folder / "tobacco_photos").mkdir(parents=True)
    draw_coloured_packs(folder / "tobacco_photos" / "one.png", seed=1)
    lines = [
        {"photo": "one.JPG", "x": 80 + 78 * k, "y": 100 + 170 * row, "w": 60, "h": 90,
         "brand": (k // 4) + 2 * row, "row": row + 1, "position": k + 1, "row_sure": 1}
        for row in range(2) for k in range(8)
    ]  # fmt: skip
    photo = {"photo": "one.JPG", "file": "tobacco_photos/one.png", "original_width": 800,
             "original_height": 480, "width": 800, "height": 480}  # fmt: skip
    for name, rows in (("tobacco_shelves.csv", lines), ("tobacco_photos.csv", [photo])):
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    return folder


def test_layouts_become_planograms_and_their_photos_are_read(tmp_path: Path) -> None:
    folder = draw_layouts(tmp_path / "layouts")
    plan = planogram_of(read_layouts(folder)["one.JPG"])
    assert len(plan.positions) == 16
    assert plan.in_order[0].product == "brand-2"  # the lowest shelf is the last labelled row
    report = measure_layouts(
        folder, BrightEyes(), photos_max=None, draw=tmp_path / "worst", seed=0, steps=silently
    )
    assert report.figure("sequence_similarity", "photos").value == 1
    assert report.figure("sequence_order", "photos").value == 1
    assert report.figure("sequence_found", "photos").value == 1
    assert report.figure("F1", "layouts: registered").n
    assert [file.name for file in (tmp_path / "worst").iterdir()] == ["00_one.png"]


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6))
def test_nothing_is_claimed_of_places_that_a_registered_view_does_not_show(seed: int) -> None:
    plan = draw_plan(np.random.default_rng(seed), facings=60)
    shown = show(plan, np.random.default_rng([seed, 1]), noise=CLEAN)
    told = judged(shown, REGISTERED, seed=seed, least=0.55)
    assert counts(shown, told, shown.seen).asserted_unseen == 0
