"""Average precision: worked examples, laws, and what is left out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.training.detect import Detections, shared_areas, strongest, suppress_overlapping
from vision.training.evaluate import average_precision, in_regions, judge, measure
from vision.training.labels import no_boxes
from vision.training.sources import read_sources


def found(*rows):
    """Return detections from rows of x1 y1 x2 y2 score, best first."""
    array = np.array(rows, np.float32).reshape(-1, 5)
    order = np.argsort(-array[:, 4], kind="stable")
    return Detections(array[order, :4], array[order, 4])


def boxes(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


def figures(detections, facings, ignore=None):
    return average_precision([judge(detections, facings, no_boxes() if ignore is None else ignore)])


TWO = boxes([0, 0, 10, 10], [20, 0, 30, 10])


def test_finding_everything_exactly_scores_one():
    got = figures(found([0, 0, 10, 10, 0.9], [20, 0, 30, 10, 0.3]), TWO)
    assert (got.ap50, got.ap, got.recall50) == (1.0, 1.0, 1.0)
    assert (got.photos, got.facings) == (1, 2)


def test_finding_nothing_scores_zero():
    assert figures(found(), TWO).ap50 == 0


def test_a_false_find_between_two_true_ones_costs_what_coco_says():
    detections = found([0, 0, 10, 10, 0.9], [50, 50, 60, 60, 0.8], [20, 0, 30, 10, 0.7])
    # Precision 1 up to recall .5 (51 of 101 points), 2/3 beyond.
    assert figures(detections, TWO).ap50 == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_a_second_find_of_the_same_facing_is_false():
    detections = found([0, 0, 10, 10, 0.9], [0, 0, 10, 9.9, 0.8], [20, 0, 30, 10, 0.7])
    assert figures(detections, TWO).ap50 == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_a_loose_box_counts_at_the_limits_it_meets():
    # Overlap 0.8: met at .50 to .80, seven of ten limits.
    got = figures(found([0, 0, 10, 8, 0.9]), boxes([0, 0, 10, 10]))
    assert got.ap50 == 1
    assert got.ap75 == 1
    assert got.ap == pytest.approx(0.7)


def test_what_lies_in_a_region_to_ignore_is_not_counted_either_way():
    ignore = boxes([40, 0, 100, 100])
    facings = boxes([0, 0, 10, 10], [50, 0, 60, 10])
    detections = found([70, 70, 80, 80, 0.95], [0, 0, 10, 10, 0.9])
    got = figures(detections, facings, ignore)
    assert (got.facings, got.ap50) == (1, 1.0)


def test_a_find_that_met_a_counted_facing_counts_though_it_leans_into_the_region():
    ignore = boxes([11, 0, 40, 40])
    facings = boxes([0, 0, 20, 10])  # its centre is left of the region, less than half covered
    got = figures(found([2, 0, 24, 10, 0.9]), facings, ignore)
    assert (got.facings, got.ap50) == (1, 1.0)


def test_the_centre_puts_a_box_into_a_region():
    regions = boxes([0, 0, 50, 50], [80, 80, 90, 90])
    rows = boxes([40, 0, 58, 10], [40, 0, 70, 10], [60, 60, 70, 70], [70, 70, 100, 100])
    assert in_regions(rows, regions).tolist() == [True, False, False, True]
    assert in_regions(rows, no_boxes()).tolist() == [False] * 4
    assert in_regions(no_boxes(), regions).tolist() == []


@given(
    box=st.tuples(*[st.floats(0, 50)] * 2, *[st.floats(1, 50)] * 2),
    region=st.tuples(*[st.floats(0, 50)] * 2, *[st.floats(1, 50)] * 2),
)
def test_a_box_more_than_half_in_a_region_is_in_it(box, region):
    first, second = (boxes([x, y, x + width, y + height]) for x, y, width, height in (box, region))
    share = float(shared_areas(first, second)[0, 0]) / (box[2] * box[3])
    assert in_regions(first, second)[0] or share <= 0.5 + 1e-3


def test_nothing_to_measure_on_is_said():
    with pytest.raises(ValueError, match="nothing to measure"):
        figures(found([0, 0, 1, 1, 0.5]), no_boxes())


@given(
    places=st.lists(st.integers(0, 30), min_size=1, max_size=12, unique=True),
    hits=st.lists(st.booleans(), min_size=12, max_size=12),
)
@settings(max_examples=60, deadline=None)
def test_a_weakest_false_find_never_helps_and_scores_stay_in_range(places, hits):
    facings = boxes(*[[20 * place, 0, 20 * place + 10, 10] for place in places])
    rows = [
        [*(facing if hit else facing + 500), 1 - number / 20]
        for number, (facing, hit) in enumerate(zip(facings, hits, strict=False))
    ]
    plain = figures(found(*rows), facings)
    worse = figures(found(*rows, [900, 900, 910, 910, 0.01]), facings)
    rounding = 1e-9
    assert 0 <= worse.ap <= plain.ap + rounding
    assert plain.ap <= plain.ap50 + rounding <= 1 + 2 * rounding
    assert plain.recall50 == pytest.approx(sum(hits[: len(places)]) / len(places))


def test_measuring_reads_the_photos(shelves):
    labels = read_sources([str(shelves / "labels.json")], split="check")

    def sees_all(picture):
        assert picture.shape == (180, 240, 3)
        facings = labels.photos[0].facings
        return Detections(facings, np.ones(len(facings), np.float32))

    assert measure(sees_all, labels).ap == 1


def test_raw_answers_become_boxes_of_the_photo():
    raw = np.array([[50, 51, 200], [40, 40, 40], [20, 20, 10], [30, 30, 10], [0.9, 0.8, 0.001]])
    got = strongest(raw.astype(np.float32), scale=0.5, score_min=0.01, iou_max=0.6)
    np.testing.assert_allclose(got.boxes, [[80, 50, 120, 110]])
    np.testing.assert_allclose(got.scores, [0.9])


def test_suppression_keeps_neighbours_and_stops_at_the_cap():
    side_by_side = boxes(*[[10 * x, 0, 10 * x + 11, 10] for x in range(6)])
    assert suppress_overlapping(side_by_side, iou_max=0.6, kept_max=800).tolist() == list(range(6))
    assert suppress_overlapping(side_by_side, iou_max=0.6, kept_max=2).tolist() == [0, 1]
    assert suppress_overlapping(side_by_side, iou_max=0.02, kept_max=9).tolist() == [0, 2, 4]
    assert suppress_overlapping(no_boxes(), iou_max=0.6, kept_max=9).tolist() == []
